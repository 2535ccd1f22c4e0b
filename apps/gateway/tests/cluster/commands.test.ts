import type { NodeInfo, WorkerDetails } from '@esdb-gater/protocol';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { jsonLines } from '../support/gateway-process.ts';
import type { TestGateway } from '../support/in-process.ts';
import { rawConnect } from '../support/raw-client.ts';
import { runInProcess } from '../support/terminal.ts';
import { CLUSTER_WAIT, createTestCluster, type TestCluster } from '../support/test-cluster.ts';

let cluster: TestCluster;
let a: TestGateway;
let b: TestGateway;
beforeAll(async () => {
  cluster = createTestCluster();
  a = await cluster.add('a', {
    stores: '{"orders":{"engine":"memory"}}',
    'retry-deadline-ms': '400',
    'retry-attempt-timeout-ms': '200',
  });
  b = await cluster.add('b', { stores: '{"users":{"engine":"memory"}}' });
  await cluster.agree('a', 'b');
  const atB = await cluster.client(b);
  await vi.waitFor(() => atB.quickHealthCheck({ storeId: 'orders' }), CLUSTER_WAIT);
});
afterAll(() => cluster.close());

const atB = (...args: string[]) => runInProcess([...args, '--url', b.url]);
const atTerminal = (...args: string[]) =>
  runInProcess([...args, '--url', b.url], { isTTY: true, env: { NO_COLOR: '1' } });
/** The cells of a table, without the space between them. */
const cells = (table: string): string[][] =>
  table
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/\s{2,}/));

describe('nodes', () => {
  test('prints a line for each node at a terminal, and marks the one that is asked', async () => {
    const { code, stdout } = await atTerminal('nodes');
    expect(code).toBe(0);
    const [head, ...rows] = cells(stdout);
    expect(head).toEqual(['NODE', 'STATUS', 'WORKERS', 'STARTED', 'CLOCK', 'URL']);
    expect(rows.map(([node, status, workers]) => [node, status, workers]).toSorted()).toEqual([
      ['a', 'alive', '1'],
      ['b (this)', 'alive', '1'],
    ]);
    expect(rows.map((row) => row.at(-1)).toSorted()).toEqual([a.url, b.url].toSorted());
  });

  test('prints a JSON value for each node for programs, and with --json', async () => {
    const expected = [
      { nodeId: 'a', url: a.url, status: 'alive', self: false, workers: 1 },
      { nodeId: 'b', url: b.url, status: 'alive', self: true, workers: 1 },
    ];
    for (const { code, stdout } of [await atB('nodes'), await atB('nodes', '--json')]) {
      expect(code).toBe(0);
      const nodes = jsonLines<NodeInfo & Record<string, unknown>>(stdout);
      expect(nodes.toSorted((one, other) => one.nodeId.localeCompare(other.nodeId))).toMatchObject(expected);
      for (const { incarnation } of nodes) expect(incarnation).toBeGreaterThan(0);
    }
  });
});

describe('workers', () => {
  test('prints the workers of all nodes with their state and the circuit of their store', async () => {
    const { code, stdout } = await atTerminal('workers');
    expect(code).toBe(0);
    const [head, ...rows] = cells(stdout);
    expect(head?.slice(0, 6)).toEqual(['STORE', 'WORKER', 'NODE', 'STATUS', 'FAILURES', 'CIRCUIT']);
    const shown = rows.map(([store, , node, status, failures, circuit]) => [
      store,
      node,
      status,
      failures,
      circuit,
    ]);
    expect(shown.toSorted()).toEqual([
      ['orders', 'a', 'live', '0', 'closed'],
      ['users', 'b', 'live', '0', 'closed'],
    ]);
  });

  test('prints a JSON value for each worker, of one store with --store', async () => {
    const all = jsonLines<WorkerDetails & { readonly circuit: string }>((await atB('workers')).stdout);
    expect(all.map(({ storeId, nodeId, circuit }) => [storeId, nodeId, circuit]).toSorted()).toEqual([
      ['orders', 'a', 'closed'],
      ['users', 'b', 'closed'],
    ]);
    const one = jsonLines<WorkerDetails>((await atB('workers', '--store', 'orders', '--json')).stdout);
    expect(one).toMatchObject([{ storeId: 'orders', nodeId: 'a', status: 'live', failures: 0 }]);
    expect(jsonLines((await atB('workers', '--store', 'none')).stdout)).toEqual([]);
  });

  test('names only methods that workers serve', async () => {
    for (const { methods } of jsonLines<WorkerDetails>((await atB('workers')).stdout)) {
      expect(methods).toContain('appendEvents');
      expect(methods).not.toContain('saveSubscription');
    }
  });

  test('shows a worker that is ejected, and the circuit of its store, which is half-open during the probe', async () => {
    const program = await rawConnect(a.url);
    const probe = Promise.withResolvers<object>();
    program.serve(({ method }) => {
      if (method === 'quickHealthCheck') return probe.promise;
      const data = { code: 'unavailable', retriable: true };
      return { error: { code: -32000, message: 'the disk is gone', data } };
    });
    const registered = await program.call('registerWorker', { storeId: 'down', workerId: 'w' });
    expect(registered.error).toBeUndefined();
    const client = await rawConnect(a.url);
    const call = async () =>
      (await client.call('getVersion', { storeId: 'down', streamId: 's' })).error?.data.code;
    const shown = async () =>
      jsonLines((await runInProcess(['workers', '--store', 'down', '--url', a.url])).stdout);
    // A probe that hangs is followed by another one.
    await vi.waitFor(async () => {
      await call();
      expect(await shown()).toMatchObject([{ workerId: 'w', status: 'ejected', circuit: 'half-open' }]);
    }, CLUSTER_WAIT);
    expect(await call()).toBe('no_workers');
    await vi.waitFor(async () => {
      const { result } = await client.call('health');
      expect(JSON.stringify(result)).toContain('the circuit is half-open');
    }, CLUSTER_WAIT);
    probe.resolve({});
    await vi.waitFor(
      async () => expect(await shown()).toMatchObject([{ status: 'live', circuit: 'closed' }]),
      CLUSTER_WAIT,
    );
    await Promise.all([program.close(), client.close()]);
  });
});
