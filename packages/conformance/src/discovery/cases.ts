import assert from 'node:assert/strict';
import type { DiscoveredNode, Discovery } from '@esdb-gater/types';
import type { CaseSpec } from './harness.ts';

/** Reads lists of nodes until one fits, and rejects when none does in time. */
async function untilListed(
  discovery: Discovery,
  fits: (nodes: readonly DiscoveredNode[]) => boolean,
  patienceMs: number,
  what: string,
): Promise<readonly DiscoveredNode[]> {
  const signal = AbortSignal.timeout(patienceMs);
  let last: readonly DiscoveredNode[] = [];
  for await (const nodes of discovery.watch({ signal })) {
    last = nodes;
    if (fits(nodes)) return nodes;
  }
  throw new assert.AssertionError({
    message: `${what} within ${patienceMs} ms; the last list was ${JSON.stringify(last)}`,
  });
}

const has =
  (...wanted: readonly DiscoveredNode[]) =>
  (nodes: readonly DiscoveredNode[]): boolean =>
    wanted.every(({ url }) => nodes.some((node) => node.url === url));

export const CASES: readonly CaseSpec[] = [
  {
    title: 'the nodes of a cluster find each other',
    body: async ({ nodes: [a, b, c], join, patienceMs }) => {
      const discoveries = await Promise.all([join(a), join(b), join(c)]);
      const others = [[b, c] as const, [a, c] as const, [a, b] as const];
      await Promise.all(
        discoveries.map((one, index) =>
          untilListed(one, has(...(others[index] ?? [])), patienceMs, 'a node must find the two others'),
        ),
      );
      await Promise.all(discoveries.map((one) => one.close()));
    },
  },
  {
    title: 'a list names each URL once, and only URLs of nodes',
    body: async ({ nodes: [a, b, c], join, patienceMs }) => {
      const [one, other, third] = await Promise.all([join(a), join(b), join(c)]);
      const list = await untilListed(one, has(b, c), patienceMs, 'a node must find the two others');
      const urls = list.map(({ url }) => url);
      assert.equal(new Set(urls).size, urls.length, `no URL may be listed twice: ${urls.join(', ')}`);
      const known = new Set([a.url, b.url, c.url]);
      assert.deepEqual(
        urls.filter((url) => !known.has(url)),
        [],
        'only nodes of the cluster may be listed',
      );
      await Promise.all([one, other, third].map((discovery) => discovery.close()));
    },
  },
  {
    title: 'each watcher begins with the nodes that are known',
    body: async ({ nodes: [a, b], join, patienceMs }) => {
      const [one, other] = await Promise.all([join(a), join(b)]);
      await untilListed(one, has(b), patienceMs, 'a node must find the other');
      const { signal } = new AbortController();
      for await (const nodes of one.watch({ signal })) {
        assert.ok(has(b)(nodes), 'the first list of a later watcher must have the node that is known');
        break;
      }
      await Promise.all([one.close(), other.close()]);
    },
  },
  {
    title: 'a watcher ends when its signal aborts, and others go on',
    body: async ({ nodes: [a, b], join, patienceMs }) => {
      const one = await join(a);
      const aborted = new AbortController();
      const watching = (async () => {
        for await (const _ of one.watch({ signal: aborted.signal })) aborted.abort();
      })();
      await watching;
      for await (const _ of one.watch({ signal: AbortSignal.abort() })) {
        assert.fail('a watcher with an aborted signal must get nothing');
      }
      const other = await join(b);
      await untilListed(one, has(b), patienceMs, 'a node must still find others');
      await Promise.all([one.close(), other.close()]);
    },
  },
  {
    title: 'closing ends all watchers, and a second time has no effect',
    body: async ({ nodes: [a], join }) => {
      const one = await join(a);
      const { signal } = new AbortController();
      const watching = (async () => {
        for await (const _ of one.watch({ signal }));
      })();
      await one.close();
      await watching;
      await one.close();
    },
  },
  {
    title: 'a node that joins later is found, with its node id',
    needs: ['announcing'],
    body: async ({ nodes: [a, b], join, patienceMs }) => {
      const one = await join(a);
      await untilListed(
        one,
        (nodes) => !has(b)(nodes),
        patienceMs,
        'a node must not be found before it joins',
      );
      const other = await join(b);
      const list = await untilListed(one, has(b), patienceMs, 'a node that joins later must be found');
      assert.equal(list.find(({ url }) => url === b.url)?.nodeId, b.nodeId);
      await Promise.all([one.close(), other.close()]);
    },
  },
  {
    title: 'a node that has closed is no longer found',
    needs: ['announcing'],
    body: async ({ nodes: [a, b], join, patienceMs }) => {
      const [one, other] = await Promise.all([join(a), join(b)]);
      await untilListed(one, has(b), patienceMs, 'a node must find the other');
      await other.close();
      await untilListed(
        one,
        (nodes) => !has(b)(nodes),
        patienceMs,
        'a node that has closed must not be listed',
      );
      await one.close();
    },
  },
  {
    title: 'a node that returns with another URL is found there only',
    needs: ['announcing'],
    body: async ({ nodes: [a, b, c], join, patienceMs }) => {
      const one = await join(a);
      const before = await join(b);
      await untilListed(one, has(b), patienceMs, 'a node must find the other');
      await before.close();
      const after = await join({ nodeId: b.nodeId, url: c.url });
      const moved = (nodes: readonly DiscoveredNode[]): boolean => has(c)(nodes) && !has(b)(nodes);
      await untilListed(one, moved, patienceMs, 'a node must be found at its new URL');
      await Promise.all([one.close(), after.close()]);
    },
  },
];
