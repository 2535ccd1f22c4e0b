import { afterEach, describe, expect, test, vi } from 'vitest';
import { freePort } from '../support/gateway-processes.ts';
import { startTestGateway, type TestGateway } from '../support/in-process.ts';
import { type Blocked, type PartitionProxy, startPartitionProxy } from '../support/partition-proxy.ts';
import { type RawClient, rawConnect } from '../support/raw-client.ts';
import { CLUSTER_WAIT, createTestCluster, nodeFlags, type TestCluster } from '../support/test-cluster.ts';

const closing: (() => unknown)[] = [];
let cluster: TestCluster;
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await cluster.close();
});

/** Resolves to the nodes and the workers that a gateway sees. */
async function viewOf(client: RawClient): Promise<{ readonly nodes: string[]; readonly workers: string[] }> {
  const { result } = await client.call('clusterInfo');
  const { nodes, workers } = result as {
    readonly nodes: readonly { readonly nodeId: string }[];
    readonly workers: readonly { readonly storeId: string; readonly nodeId: string }[];
  };
  return {
    nodes: nodes.map(({ nodeId }) => nodeId).toSorted(),
    workers: workers.map(({ storeId, nodeId }) => `${storeId}@${nodeId}`).toSorted(),
  };
}

/** Two nodes with a store each, whose connections to each other all pass a proxy. */
async function partitionable() {
  const ports = [await freePort(), await freePort()];
  const doors = [await freePort(), await freePort()];
  const urls = doors.map((port) => `ws://127.0.0.1:${port}/v1/ws`);
  const proxies: PartitionProxy[] = [];
  const nodes: TestGateway[] = [];
  for (const [index, name] of ['a', 'b'].entries()) {
    proxies.push(await startPartitionProxy(doors[index] as number, ports[index] as number));
    nodes.push(
      await startTestGateway({
        ...nodeFlags(name, urls),
        port: String(ports[index]),
        'advertise-url': urls[index] as string,
        stores: `{"of-${name}":{"engine":"memory"}}`,
        'retry-deadline-ms': '1000',
        'retry-attempt-timeout-ms': '500',
      }),
    );
  }
  closing.push(...proxies.map((proxy) => () => proxy.close()), ...nodes.map((node) => () => node.close()));
  // Not by the proxies.
  const direct = ports.map((port) => `ws://127.0.0.1:${port}/v1/ws`);
  const clients = await Promise.all(direct.map((url) => rawConnect(url)));
  closing.push(...clients.map((client) => () => client.close()));
  const [toA, toB] = proxies as [PartitionProxy, PartitionProxy];
  const [atA, atB] = clients as [RawClient, RawClient];
  const [urlA, urlB] = direct as [string, string];
  return { toA, toB, atA, atB, urlA, urlB };
}

const WHOLE = { nodes: ['a', 'b'], workers: ['of-a@a', 'of-b@b'] };
const append = (storeId: string, n: number) => ({
  storeId,
  streamId: `s-${n}`,
  events: [{ type: 'placed', data: n }],
});

describe('a partition between two nodes', () => {
  test.each([
    ['in both directions', 'both', 'both'],
    ['that lets nothing of a reach b', 'answers', 'requests'],
    ['that lets nothing of b reach a', 'requests', 'answers'],
  ] as const)(
    '%s: each serves its own store, and after it heals both agree without ghosts [F13]',
    async (_, atDoorOfA: Blocked, atDoorOfB: Blocked) => {
      cluster = createTestCluster();
      const { toA, toB, atA, atB } = await partitionable();
      for (const client of [atA, atB]) {
        await vi.waitFor(async () => expect(await viewOf(client)).toEqual(WHOLE), CLUSTER_WAIT);
      }
      expect((await atA.call('appendEvents', append('of-b', 0))).error).toBeUndefined();

      toA.block(atDoorOfA);
      toB.block(atDoorOfB);
      await vi.waitFor(
        async () => expect(await viewOf(atA)).toEqual({ nodes: ['a'], workers: ['of-a@a'] }),
        CLUSTER_WAIT,
      );
      await vi.waitFor(
        async () => expect(await viewOf(atB)).toEqual({ nodes: ['b'], workers: ['of-b@b'] }),
        CLUSTER_WAIT,
      );
      expect((await atA.call('appendEvents', append('of-a', 1))).error).toBeUndefined();
      expect((await atB.call('appendEvents', append('of-b', 1))).error).toBeUndefined();
      const away = await atA.call('appendEvents', append('of-b', 2));
      expect(away.error?.data).toMatchObject({ code: 'no_workers', retriable: true });

      toA.block('none');
      toB.block('none');
      for (const client of [atA, atB]) {
        await vi.waitFor(async () => expect(await viewOf(client)).toEqual(WHOLE), CLUSTER_WAIT);
      }
      await vi.waitFor(
        async () => expect((await atA.call('appendEvents', append('of-b', 3))).error).toBeUndefined(),
        CLUSTER_WAIT,
      );
      expect((await atB.call('appendEvents', append('of-a', 4))).error).toBeUndefined();
    },
    60_000,
  );
});

/** Registers a worker that answers one version, and resolves to its program. */
async function versionWorker(
  url: string,
  { storeUuid, version }: { readonly storeUuid: string; readonly version: number },
) {
  const program = await rawConnect(url);
  closing.push(() => program.close());
  program.serve(({ method }) => (method === 'readAll' ? { events: [], lastPosition: 0 } : { version }));
  const answer = await program.call('registerWorker', { storeId: 'shared', workerId: 'w', storeUuid });
  return { program, error: answer.error, version };
}

const readVersion = async (client: RawClient): Promise<unknown> => {
  const { result, error } = await client.call('getVersion', { storeId: 'shared', streamId: 's' });
  return result ?? error?.data.code;
};

describe('two stores under one name', () => {
  test('whose workers register on both sides of a partition: the first one stays once it heals, and the other is told', async () => {
    cluster = createTestCluster();
    const { toA, toB, atA, atB, urlA, urlB } = await partitionable();
    for (const client of [atA, atB]) {
      await vi.waitFor(async () => expect(await viewOf(client)).toEqual(WHOLE), CLUSTER_WAIT);
    }
    toA.block('both');
    toB.block('both');
    for (const [client, own] of [
      [atA, 'a'],
      [atB, 'b'],
    ] as const) {
      await vi.waitFor(async () => expect((await viewOf(client)).nodes).toEqual([own]), CLUSTER_WAIT);
    }
    // The lower uuid registers later: it is not the uuid that decides.
    const first = await versionWorker(urlB, { storeUuid: 'uuid-2', version: 2 });
    const second = await versionWorker(urlA, { storeUuid: 'uuid-1', version: 1 });
    expect([first.error, second.error]).toEqual([undefined, undefined]);
    expect(await readVersion(atA)).toEqual({ version: 1 });
    expect(await readVersion(atB)).toEqual({ version: 2 });

    toA.block('none');
    toB.block('none');
    await vi.waitFor(() => {
      const told = second.program.notices.filter(({ method }) => method === 'replaced');
      expect(told.map(({ params }) => params)).toEqual([{ storeId: 'shared', workerId: 'w' }]);
    }, CLUSTER_WAIT);
    await vi.waitFor(async () => expect(await readVersion(atA)).toEqual({ version: 2 }), CLUSTER_WAIT);
    for (let n = 0; n < 20; n++) {
      expect(await Promise.all([atA, atB].map(readVersion))).toEqual([{ version: 2 }, { version: 2 }]);
    }
    const { result } = await atA.call('health');
    const { reasons } = result as { readonly reasons: readonly { component: string; code: string }[] };
    expect(reasons.map(({ component, code }) => `${component} ${code}`)).toEqual([
      'store:shared store_mismatch',
    ]);
    expect(first.program.notices.filter(({ method }) => method === 'replaced')).toEqual([]);
    const again = await second.program.call('registerWorker', { storeId: 'shared', storeUuid: 'uuid-1' });
    expect(again.error?.data).toMatchObject({ code: 'invalid_argument', reason: 'store_mismatch' });
  }, 60_000);

  test('that two nodes serve by themselves: the later one serves neither, and says so', async () => {
    cluster = createTestCluster();
    const flags = { stores: '{"orders":{"engine":"memory"}}' };
    const a = await cluster.add('a', flags);
    const atA = await cluster.client(a);
    await atA.appendEvents({ storeId: 'orders', streamId: 's', events: [{ type: 'at-a', data: 1 }] });
    const b = await cluster.add('b', flags);
    const c = await cluster.add('c');
    await cluster.agree('a', 'b', 'c');
    const [atB, atC] = [await rawConnect(b.url), await cluster.client(c)];
    closing.push(() => atB.close());
    const append = (event: string) =>
      atB.call('appendEvents', { storeId: 'orders', streamId: 's', events: [{ type: event, data: 1 }] });
    await vi.waitFor(
      async () => expect((await append('at-b')).error?.data).toMatchObject({ code: 'no_workers' }),
      CLUSTER_WAIT,
    );
    for (const client of [atA, atC]) {
      await vi.waitFor(async () => {
        const { events } = await client.getEvents({ storeId: 'orders', streamId: 's' });
        expect(events.map(({ type }) => type)).toEqual(['at-a']);
      }, CLUSTER_WAIT);
    }
    const { result } = await atB.call('health');
    const { reasons } = result as { readonly reasons: readonly { component: string; code: string }[] };
    expect(reasons.map(({ component, code }) => `${component} ${code}`)).toContain(
      'store:orders store_mismatch',
    );
    expect((await atA.clusterInfo()).workers.map(({ nodeId }) => nodeId)).toEqual(['a']);
  }, 60_000);
});

describe('workers of other nodes', () => {
  async function threeNodes() {
    cluster = createTestCluster();
    const flags = {
      stores: '{"orders":{"engine":"remote","feed":false}}',
      'retry-deadline-ms': '2000',
      'retry-attempt-timeout-ms': '500',
      'registry-policy': 'round-robin',
    };
    const a = await cluster.add('a', flags);
    const b = await cluster.add('b', flags);
    const c = await cluster.add('c', flags);
    await cluster.agree('a', 'b', 'c');
    return { atA: await cluster.client(a), b, c };
  }

  async function register(
    url: string,
    workerId: string,
    serve: Parameters<RawClient['serve']>[0],
  ): Promise<RawClient> {
    const worker = await rawConnect(url);
    worker.serve((request) => (request.method === 'quickHealthCheck' ? {} : serve(request)));
    const { error } = await worker.call('registerWorker', { storeId: 'orders', storeUuid: 'uuid', workerId });
    expect(error).toBeUndefined();
    return worker;
  }

  test('one that dies with a call in its hands: the call is repeated with another and answered once [F14]', async () => {
    const { atA, b, c } = await threeNodes();
    const dying: RawClient = await register(b.url, 'w1', () => {
      dying.socket.terminate();
      return new Promise(() => {});
    });
    await register(c.url, 'w2', () => ({ version: 7 }));
    await vi.waitFor(async () => expect((await atA.clusterInfo()).workers).toHaveLength(2), CLUSTER_WAIT);
    for (let n = 0; n < 3; n++) {
      expect(await atA.getVersion({ storeId: 'orders', streamId: 's' })).toEqual({ version: 7 });
    }
  });

  test('the only one dies with a call in its hands: the call ends with one error within its deadline [F14]', async () => {
    const { atA, b } = await threeNodes();
    let asked = 0;
    const dying: RawClient = await register(b.url, 'w1', () => {
      asked += 1;
      dying.socket.terminate();
      return new Promise(() => {});
    });
    await vi.waitFor(async () => expect((await atA.clusterInfo()).workers).toHaveLength(1), CLUSTER_WAIT);
    // Not idempotent: it may have taken effect, and is not repeated.
    await expect(atA.deleteStream({ storeId: 'orders', streamId: 's' })).rejects.toMatchObject({
      code: 'not_supported',
    });
    await expect(atA.getVersion({ storeId: 'orders', streamId: 's' })).rejects.toMatchObject({
      code: 'no_workers',
    });
    expect(asked).toBe(1);
  });

  test('that fail half of the calls do not get more than a tenth more of them, plus ten [F17]', async () => {
    const { atA, b, c } = await threeNodes();
    let calls = 0;
    const failHalf = () => {
      calls += 1;
      if (calls % 2 === 0) return { version: 1 };
      return { error: { code: -32000, message: 'busy', data: { code: 'overloaded', retriable: true } } };
    };
    await register(b.url, 'w1', failHalf);
    await register(c.url, 'w2', failHalf);
    await vi.waitFor(async () => expect((await atA.clusterInfo()).workers).toHaveLength(2), CLUSTER_WAIT);
    const raw = await rawConnect(cluster.nodes[0]?.url ?? '');
    const count = 300;
    const answers = await Promise.all(
      Array.from({ length: count }, () => raw.call('getVersion', { storeId: 'orders', streamId: 's' })),
    );
    expect(answers.every(({ result, error }) => result !== undefined || error !== undefined)).toBe(true);
    expect(calls).toBeGreaterThan(count);
    expect(calls).toBeLessThanOrEqual(count * 1.1 + 10);
    await raw.close();
  });
});
