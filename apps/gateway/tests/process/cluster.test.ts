import { connect, type RemoteGater } from '@esdb-gater/client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { GatewayProcesses } from '../support/gateway-processes.ts';
import { rawConnect } from '../support/raw-client.ts';

const WAIT = { timeout: 20_000, interval: 20 };

let processes: GatewayProcesses;
const clients: RemoteGater[] = [];
beforeEach(() => {
  processes = new GatewayProcesses();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await processes.close();
});

async function clientOf(node: GatewayProcess): Promise<RemoteGater> {
  const client = await connect(node.url);
  clients.push(client);
  return client;
}

/** Starts three gateways, and resolves when each sees all of them. */
async function three(flags: readonly string[] = [], flagsOfA: readonly string[] = []) {
  await processes.prepare('a', 'b', 'c');
  const [a, b, c] = await Promise.all([
    processes.start('a', [...flags, ...flagsOfA]),
    processes.start('b', flags),
    processes.start('c', flags),
  ]);
  for (const node of [a, b, c]) await seen(node, 'a', 'b', 'c');
  return { a, b, c };
}

/** Resolves when a node sees the nodes with these names, and no other. */
async function seen(node: GatewayProcess, ...names: string[]): Promise<void> {
  const client = await connect(node.url);
  try {
    await vi.waitFor(async () => {
      const { nodes } = await client.clusterInfo();
      expect(nodes.map(({ nodeId }) => nodeId).toSorted()).toEqual(names);
    }, WAIT);
  } finally {
    await client.close();
  }
}

const liveWorkers = async (client: RemoteGater): Promise<string[]> =>
  (await client.clusterInfo()).workers
    .filter(({ status }) => status === 'live')
    .map(({ workerId }) => workerId)
    .toSorted();

async function workersAre(client: RemoteGater, ...names: string[]): Promise<void> {
  await vi.waitFor(async () => expect(await liveWorkers(client)).toEqual(names), WAIT);
}

const asked = async (client: RemoteGater): Promise<string | undefined> =>
  (await client.getStreams({ storeId: 'orders' })).streams[0];

test('1 000 requests from fresh connections to three gateways are spread evenly over the workers of all [F19]', async () => {
  const { a, b, c } = await three(['--registry-policy', 'round-robin']);
  await Promise.all([processes.worker(a, 'w1'), processes.worker(b, 'w2'), processes.worker(c, 'w3')]);
  for (const node of [a, b, c]) await workersAre(await clientOf(node), 'w1', 'w2', 'w3');
  const counts: Record<string, number> = {};
  for (let n = 0; n < 1_000; n += 20) {
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const raw = await rawConnect([a, b, c][(n + index) % 3]?.url ?? a.url);
        const { result } = await raw.call('getStreams', { storeId: 'orders' });
        const [name = ''] = (result as { streams: string[] }).streams;
        counts[name] = (counts[name] ?? 0) + 1;
        await raw.close();
      }),
    );
  }
  expect(Object.keys(counts).toSorted()).toEqual(['w1', 'w2', 'w3']);
  for (const count of Object.values(counts)) expect(Math.abs(count - 1_000 / 3)).toBeLessThan(1_000 / 30);
});

test('kill -9 of a node under load: every request is answered, and within 3 s the node has left all registries [F14]', async () => {
  const { a, b, c } = await three(['--registry-policy', 'round-robin']);
  await Promise.all([processes.worker(a, 'w1'), processes.worker(b, 'w2'), processes.worker(c, 'w3')]);
  const [atA, atB] = [await clientOf(a), await clientOf(b)];
  for (const client of [atA, atB]) await workersAre(client, 'w1', 'w2', 'w3');
  let stop = false;
  const answers: (string | undefined)[] = [];
  const load = [atA, atB].flatMap((client) =>
    Array.from({ length: 8 }, async () => {
      while (!stop) answers.push(await asked(client));
    }),
  );
  await vi.waitFor(() => expect(answers).toContain('w3'), WAIT);
  const goneEverywhere = [atA, atB].map((client) =>
    vi.waitFor(
      async () => {
        const { nodes, workers } = await client.clusterInfo();
        expect(nodes.map(({ nodeId }) => nodeId).toSorted()).toEqual(['a', 'b']);
        expect(workers.map(({ workerId }) => workerId).toSorted()).toEqual(['w1', 'w2']);
      },
      { timeout: 3_000, interval: 20 },
    ),
  );
  await Promise.all([c.kill9(), ...goneEverywhere]);
  stop = true;
  // None was left unanswered or failed.
  await Promise.all(load);
  expect(new Set(answers)).toEqual(new Set(['w1', 'w2', 'w3']));
});

test('a node that comes back under its name has a higher incarnation, and leaves no ghosts [F15]', async () => {
  const { a, b } = await three();
  await processes.worker(b, 'w2');
  const atA = await clientOf(a);
  await workersAre(atA, 'w2');
  const incarnationOf = async (): Promise<number> =>
    (await atA.clusterInfo()).nodes.find(({ nodeId }) => nodeId === 'b')?.incarnation ?? 0;
  const before = await incarnationOf();
  await b.kill9();
  const again = await processes.start('b');
  await vi.waitFor(async () => expect(await incarnationOf()).toBeGreaterThan(before), WAIT);
  await workersAre(atA);
  await processes.worker(again, 'w2');
  await workersAre(atA, 'w2');
  expect((await atA.clusterInfo()).workers.map(({ nodeId, workerId }) => [nodeId, workerId])).toEqual([
    ['b', 'w2'],
  ]);
});

/** How many calls of the node's stores were attempted again, since it started. */
async function retries(node: GatewayProcess): Promise<number> {
  const text = await (await fetch(`${node.http}/metrics`)).text();
  const counts = text.matchAll(/^esdb_gater_retries_total\{.*store_id="orders".*\} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

test('SIGSTOP of a worker: once it is detected no call waits for it, and it is asked again when it goes on [F16]', async () => {
  const { a, b, c } = await three(['--registry-policy', 'round-robin', '--retry-attempt-timeout-ms', '300']);
  const [hanging] = await Promise.all([
    processes.worker(a, 'w1'),
    processes.worker(b, 'w2'),
    processes.worker(c, 'w3'),
  ]);
  const atC = await clientOf(c);
  await workersAre(atC, 'w1', 'w2', 'w3');
  hanging.kill('SIGSTOP');
  await vi.waitFor(async () => {
    await asked(atC);
    expect(await liveWorkers(atC)).toEqual(['w2', 'w3']);
  }, WAIT);
  const answers: (string | undefined)[] = [];
  // Counted and not timed: a call takes as many attempts as before, which is what its time depends on.
  const before = await retries(c);
  expect(before, 'the calls until it was detected').toBeGreaterThanOrEqual(3);
  for (let n = 0; n < 300; n++) answers.push(await asked(atC));
  expect(new Set(answers)).toEqual(new Set(['w2', 'w3']));
  expect(await retries(c)).toBe(before);
  hanging.kill('SIGCONT');
  await vi.waitFor(async () => expect(await asked(atC)).toBe('w1'), WAIT);
});

test('kill -9 of the node of a consumer: its events go to the consumer of another node', async () => {
  const { a, b, c } = await three([], ['--stores', '{"orders":{"engine":"sqlite"}}']);
  const params = { storeId: 'orders', name: 'billing', type: 'stream', selector: '$all' };
  const [onB, onC] = [await rawConnect(b.url), await rawConnect(c.url)];
  await vi.waitFor(
    async () => expect((await onC.call('saveSubscription', params)).error).toBeUndefined(),
    WAIT,
  );
  const atA = await clientOf(a);
  for (let n = 0; n < 5; n++) {
    await atA.appendEvents({ storeId: 'orders', streamId: `s-${n}`, events: [{ type: 'placed', data: n }] });
  }
  const eventsOf = (client: typeof onB) => client.notices.filter(({ method }) => method === 'event');
  await onC.until(() => eventsOf(onC).length === 5);
  const ack = { storeId: 'orders', name: 'billing', eventNumber: 0 };
  expect((await onC.call('ackEvent', { ...ack, streamId: 's-0' })).result).toEqual({ checkpoint: 1 });
  await vi.waitFor(
    async () => expect((await onB.call('saveSubscription', params)).error).toBeUndefined(),
    WAIT,
  );
  await c.kill9();
  await onB.until(() => eventsOf(onB).length === 4);
  const positions = eventsOf(onB).map((notice) => (notice.params['event'] as { position: number }).position);
  expect(positions.toSorted()).toEqual([2, 3, 4, 5]);
  for (let n = 1; n < 5; n++) await onB.call('ackEvent', { ...ack, streamId: `s-${n}` });
  expect((await atA.getSubscriptions({ storeId: 'orders' })).subscriptions).toMatchObject([
    { checkpoint: 5, subscribers: 1 },
  ]);
  await onB.close();
});
