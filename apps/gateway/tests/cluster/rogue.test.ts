import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { createListStore } from '../support/list-worker.ts';
import { rawConnect } from '../support/raw-client.ts';
import {
  CLUSTER_SECRET,
  CLUSTER_WAIT,
  createTestCluster,
  type TestCluster,
} from '../support/test-cluster.ts';

let cluster: TestCluster;
const closing: (() => unknown)[] = [];
afterEach(async () => {
  await cluster.close();
  for (const close of closing.splice(0)) await close();
});

const proofOf = (secret: string, nonce: unknown, nodeId: string, incarnation: number): string =>
  createHmac('sha256', secret)
    .update(`esdb-gater-peer/1\n${nonce}\n${nodeId}\n${incarnation}`)
    .digest('base64url');

/** An address at which every connection is counted. */
async function countingServer(): Promise<{ readonly url: string; readonly connections: () => number }> {
  let count = 0;
  const server: Server = createServer((socket) => {
    count += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `ws://127.0.0.1:${port}/v1/ws`, connections: () => count };
}

const nodesOf = async (url: string): Promise<unknown[]> => {
  const client = await rawConnect(url);
  const { result } = await client.call('clusterInfo');
  await client.close();
  return (result as { nodes: { nodeId: string }[] }).nodes.map(({ nodeId }) => nodeId);
};

describe('a rogue node', () => {
  test('that does not have the secret is refused, closed, and its address is never dialled [T20] [T21]', async () => {
    cluster = createTestCluster();
    const a = await cluster.add('a', { stores: '{"orders":{"engine":"memory"}}' });
    const lure = await countingServer();
    for (const [secret, over] of [
      ['a guess', {}],
      [CLUSTER_SECRET, { nonce: 'stale' }],
      [CLUSTER_SECRET, { incarnation: 8 }],
      [CLUSTER_SECRET, { nodeId: 'other' }],
    ] as const) {
      const rogue = await rawConnect(a.url);
      const identity = { nodeId: 'rogue', incarnation: 7 };
      const signed = { ...identity, nonce: rogue.hello['nonce'], ...over };
      const { error } = await rogue.call('authenticatePeer', {
        ...identity,
        url: lure.url,
        nonce: 'n',
        proof: proofOf(secret, signed.nonce, signed.nodeId, signed.incarnation),
      });
      expect(error?.data).toMatchObject({ code: 'unauthorized', reason: 'invalid_signature' });
      expect((await rogue.closed).code).toBe(4403);
    }
    expect(await nodesOf(a.url)).toEqual(['a']);
    expect(lure.connections()).toBe(0);
  });

  test('cannot use calls and notifications of nodes before it has proved itself [T21]', async () => {
    cluster = createTestCluster();
    const a = await cluster.add('a', { stores: '{"orders":{"engine":"memory"}}' });
    const lure = await countingServer();
    const rogue = await rawConnect(a.url);
    const node = {
      nodeId: 'rogue',
      incarnation: 7,
      url: lure.url,
      version: 1,
      status: 'alive',
      workersVersion: 0,
    };
    rogue.send({ jsonrpc: '2.0', method: 'membership', params: { v: 1, from: node, nodes: [node] } });
    rogue.send({ jsonrpc: '2.0', method: 'committed', params: { storeId: 'orders', position: 9 } });
    const call = await rogue.call('subscription', { operation: 'release', storeId: 'orders' });
    expect(call.error?.data.code).toBe('not_supported');
    const named = await rogue.call('getVersion', {
      storeId: 'orders',
      streamId: 's',
      workerId: 'x',
      deadlineMs: 1,
    });
    expect(named.error?.data.code).toBe('invalid_argument');
    expect(await nodesOf(a.url)).toEqual(['a']);
    expect(lure.connections()).toBe(0);
    await rogue.close();
  });

  test('that is dialled learns nothing, and is not routed to, unless it proves itself [T21]', async () => {
    cluster = createTestCluster();
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    closing.push(() => server.close());
    const received: { method: string; params: Record<string, unknown> }[] = [];
    const codes: number[] = [];
    server.on('connection', (socket: WebSocket) => {
      const nonce = randomBytes(16).toString('base64url');
      const hello = {
        gatewayDid: 'did:key:z',
        nodeId: 'rogue',
        version: '0',
        nonce,
        capabilities: 'optional',
        methods: [],
      };
      socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'hello', params: hello }));
      socket.on('close', (code) => codes.push(code));
      socket.on('message', (data) => {
        const message = JSON.parse(String(data)) as {
          id?: number;
          method: string;
          params: Record<string, unknown>;
        };
        received.push(message);
        if (message.id === undefined || message.method === undefined) return;
        // It says what it likes before and after its answer.
        const reply = (method: string, params: object) =>
          socket.send(JSON.stringify({ jsonrpc: '2.0', method, params }));
        reply('membership', { nodes: [] });
        const proof = proofOf('a guess', message.params['nonce'], 'rogue', 7);
        const result = { nodeId: 'rogue', incarnation: 7, url: 'ws://127.0.0.1:1/v1/ws', proof };
        socket.send(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }));
        socket.send(
          JSON.stringify({ jsonrpc: '2.0', id: 'r1', method: 'readAll', params: { storeId: 'orders' } }),
        );
      });
    });
    const { port } = server.address() as AddressInfo;
    const a = await cluster.add('a', {
      stores: '{"orders":{"engine":"memory"}}',
      'cluster-peers': `ws://127.0.0.1:${port}/v1/ws`,
    });
    await vi.waitFor(() => expect(codes.length).toBeGreaterThan(0), CLUSTER_WAIT);
    expect(await nodesOf(a.url)).toEqual(['a']);
    const calls = received.filter(({ method }) => method !== undefined);
    expect(new Set(calls.map(({ method }) => method))).toEqual(new Set(['authenticatePeer']));
    expect(received.filter((message) => 'result' in message)).toEqual([]);
  });

  test('of a cluster with another secret stays apart [T21]', async () => {
    cluster = createTestCluster();
    const a = await cluster.add('a');
    const b = await cluster.add('b', { 'cluster-secret': 'another' });
    const c = await cluster.add('c');
    await cluster.agree('a', 'c');
    expect(await nodesOf(a.url)).not.toContain('b');
    expect(await nodesOf(b.url)).toEqual(['b']);
    expect(await nodesOf(c.url)).not.toContain('b');
  });
});

describe('a rogue worker', () => {
  test('of another node cannot forge positions, streams or pages without an end [T26]', async () => {
    cluster = createTestCluster();
    const a = await cluster.add('a');
    const b = await cluster.add('b');
    await cluster.agree('a', 'b');
    const store = createListStore('orders', 'uuid-1');
    store.commit(3);
    const worker = await store.serve(a.url);
    const atB = await cluster.client(b);
    await vi.waitFor(
      async () => expect(await atB.readAll({ storeId: 'orders' })).toMatchObject({ lastPosition: 3 }),
      CLUSTER_WAIT,
    );
    for (const distort of [
      (page: object) => ({ ...page, events: store.events.toReversed() }),
      (page: object) => ({ ...page, events: store.events.map((event) => ({ ...event, storeId: 'other' })) }),
      () => ({ events: [], lastPosition: 3, next: 0 }),
      (page: object) => ({ ...page, lastPosition: 2 ** 60 }),
    ]) {
      store.distort = distort;
      await expect(atB.readAll({ storeId: 'orders' })).rejects.toMatchObject({ code: 'internal' });
      store.distort = (page) => page;
      await vi.waitFor(() => atB.readAll({ storeId: 'orders' }), CLUSTER_WAIT);
    }
    await worker.close();
  });

  test('with the name of a worker of another node does not take its calls, and does not learn its uuid [T28]', async () => {
    cluster = createTestCluster();
    const a = await cluster.add('a');
    const b = await cluster.add('b');
    const c = await cluster.add('c');
    await cluster.agree('a', 'b', 'c');
    const MISMATCH = 'store:named store_mismatch';
    const uuid = '018f5e2c-0000-7000-8000-0000000000aa';
    const register = async (url: string, storeUuid: string, version: number) => {
      const program = await rawConnect(url);
      program.serve(({ method }) => (method === 'readAll' ? { events: [], lastPosition: 0 } : { version }));
      const params = { storeId: 'named', workerId: 'w', storeUuid };
      return { program, answer: await program.call('registerWorker', params) };
    };
    const own = await register(a.url, uuid, 7);
    expect(own.answer.error).toBeUndefined();
    const [atA, atC] = [await cluster.client(a), await cluster.client(c)];
    const version = (client: typeof atA) => client.getVersion({ storeId: 'named', streamId: 's' });
    await vi.waitFor(async () => expect(await version(atC)).toEqual({ version: 7 }), CLUSTER_WAIT);

    const atB = await cluster.client(b);
    await vi.waitFor(async () => expect(await version(atB)).toEqual({ version: 7 }), CLUSTER_WAIT);

    const rogue = await register(b.url, crypto.randomUUID(), 666);
    expect(rogue.answer.error?.data).toMatchObject({ code: 'invalid_argument', reason: 'store_mismatch' });
    const { reasons } = await atB.health();
    expect(reasons.map(({ component, code }) => `${component} ${code}`)).toEqual([MISMATCH]);
    for (const client of [atA, atB, atC]) {
      for (let n = 0; n < 5; n++) expect(await version(client)).toEqual({ version: 7 });
    }
    expect(own.program.notices.filter(({ method }) => method === 'replaced')).toEqual([]);
    expect(JSON.stringify(rogue.program.texts)).not.toContain(uuid.slice(0, 8));
    expect(JSON.stringify((await rogue.program.call('clusterInfo')).result)).not.toContain(uuid);
    await rogue.program.close();
    await own.program.close();
  });
});
