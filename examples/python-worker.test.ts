// Runs the Python worker against a WebSocket server, and everything that any event store promises against the worker.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { storeSuite } from '@esdb-gater/conformance';
import { createPeer, type Peer } from '@esdb-gater/protocol';
import { createRemoteWorker, type RemoteWorker } from '@esdb-gater/registry';
import type {
  AppendCondition,
  CallContext,
  EventStore,
  StoreMethod,
  StoreParamsOf,
  Transport,
} from '@esdb-gater/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';

const SCRIPT = join(import.meta.dirname, 'python-worker', 'worker.py');

/** The server's side of one connection of a worker. */
interface Connected {
  readonly socket: WebSocket;
  readonly peer: Peer;
  readonly authorization: string | undefined;
  /** By store. */
  readonly registrations: Map<string, Registration>;
  readonly committed: { readonly storeId: string; readonly position: number }[];
  /** Waits until so many stores are registered. */
  registered(count: number): Promise<void>;
}

interface Registration {
  readonly storeId: string;
  readonly storeUuid: string;
  readonly workerId: string;
  readonly methods: readonly string[];
}

type Program = ChildProcessByStdio<null, null, Readable>;

let server: WebSocketServer;
let url: string;
const programs = new Set<Program>();
const waiting: ((connected: Connected) => void)[] = [];

beforeAll(async () => {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/ws`;
  server.on('connection', (socket, request) => {
    waiting.shift()?.(connectedOver(socket, request.headers.authorization));
  });
});

afterAll(async () => {
  await Promise.all([...programs].map(stop));
  server.close();
});

function connectedOver(socket: WebSocket, authorization: string | undefined): Connected {
  const registrations = new Map<string, Registration>();
  const committed: Connected['committed'] = [];
  const changes = new EventEmitter();
  const peer = createPeer(transportOver(socket), {
    handle(method, params) {
      expect(method).toBe('registerWorker');
      const registration = params as Registration;
      registrations.set(registration.storeId, registration);
      changes.emit('registered');
      return { workerId: registration.workerId, nodeId: 'node-a' };
    },
    onNotification(method, params) {
      expect(method).toBe('committed');
      committed.push(params as Connected['committed'][number]);
      return true;
    },
  });
  peer.notify('hello', { nodeId: 'node-a' });
  const registered = async (count: number): Promise<void> => {
    while (registrations.size < count) await once(changes, 'registered');
  };
  return { socket, peer, authorization, registrations, committed, registered };
}

function transportOver(socket: WebSocket): Transport {
  return {
    send: (text) => socket.send(text),
    close: (code, reason) => socket.close(code, reason),
    receive({ message, closed }) {
      socket.on('message', (data) => message(String(data)));
      socket.on('close', (code, reason) => closed(code, String(reason)));
    },
  };
}

function nextConnection(): Promise<Connected> {
  return new Promise((resolve) => waiting.push(resolve));
}

async function start(
  stores: readonly string[],
  args: readonly string[] = [],
): Promise<{ readonly program: Program; readonly connected: Connected }> {
  const connecting = nextConnection();
  const all = ['-B', SCRIPT, '--url', url, ...stores.flatMap((store) => ['--store', store]), ...args];
  const program = spawn('python3', all, { stdio: ['ignore', 'ignore', 'pipe'] });
  programs.add(program);
  const said: string[] = [];
  program.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const ended = once(program, 'exit').then(([code]) => {
    throw new Error(`the worker ended with ${code}: ${said.join('')}`);
  });
  ended.catch(() => {});
  const connected = await Promise.race([connecting, ended]);
  await Promise.race([connected.registered(stores.length), ended]);
  return { program, connected };
}

async function stop(program: Program): Promise<unknown> {
  programs.delete(program);
  const exit = once(program, 'exit');
  program.kill('SIGTERM');
  const [code] = await exit;
  return code;
}

function workerOf({ peer, registrations }: Connected, storeId: string): RemoteWorker {
  const registration = registrations.get(storeId);
  if (registration === undefined) throw new Error(`${storeId} is not registered`);
  return createRemoteWorker({ peer, ...registration, nodeId: 'node-a', deadlineMs: 20_000 });
}

/** The worker as an event store, as the gateway uses it, but without the gateway. */
function storeOver(worker: RemoteWorker): EventStore {
  const { storeId } = worker;
  const call =
    <M extends StoreMethod>(method: M) =>
    (params: StoreParamsOf<M>, context?: CallContext) =>
      worker.call(method, params, context) as Promise<never>;
  return {
    storeId,
    storeUuid: worker.storeUuid ?? '',
    methods: worker.methods,
    appendEvents: call('appendEvents'),
    appendToStreams: call('appendToStreams'),
    getEvents: call('getEvents'),
    getVersion: call('getVersion'),
    versionAt: call('versionAt'),
    verifyStream: call('verifyStream'),
    streamExists: call('streamExists'),
    getStreams: call('getStreams'),
    deleteStream: call('deleteStream'),
    readAll: call('readAll'),
    queryEvents: call('queryEvents'),
    recordSnapshot: call('recordSnapshot'),
    readSnapshot: call('readSnapshot'),
    listSnapshots: call('listSnapshots'),
    deleteSnapshot: call('deleteSnapshot'),
    quickHealthCheck: (context) => worker.call('quickHealthCheck', { storeId }, context) as Promise<never>,
    onCommitted: (listener) => worker.onCommitted(listener),
    feedCheckpoint: { load: async () => ({ position: 0 }), save: async () => {} },
    close: async () => {},
  };
}

/**
 * What a store in another process cannot keep, or the gateway keeps for it: the feed's checkpoint, the ends of waiting
 * callers, its own close, values that a connection does not carry.
 */
const NOT_OF_A_WORKER =
  /checkpoint|stopped waiting|closed store|listeners|abort|JSON cannot carry|deeply nested/i;

describe('the Python worker passes the conformance cases of event stores', () => {
  let connected: Connected;
  let opened = 0;
  const open = async (): Promise<EventStore> => storeOver(workerOf(connected, `store-${opened++}`));
  const cases = storeSuite({ name: 'python', open, supports: { subscriptions: false } }).filter(
    ({ title }) => !NOT_OF_A_WORKER.test(title),
  );

  beforeAll(async () => {
    const stores = cases.map((_, index) => `store-${index}`);
    ({ connected } = await start(stores));
  });

  for (const { title, run } of cases) test(title, run);
});

describe('the Python worker', () => {
  const events = (...types: string[]) =>
    types.map((type) => ({ id: randomUUID(), type, data: {}, tags: [`tag:${type}`] }));

  test('registers with its token and the methods that it serves', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'python-worker-'));
    writeFileSync(join(folder, 'token'), 'header.payload.signature\n');
    const { program, connected } = await start(['orders'], ['--token-file', join(folder, 'token')]);
    expect(connected.authorization).toBe('Bearer header.payload.signature');
    expect(connected.registrations.get('orders')?.methods).toContain('deleteStream');
    expect(await stop(program)).toBe(0);
    rmSync(folder, { recursive: true });
  });

  test('reports commits, serves queries and checks conditions', async () => {
    const { program, connected } = await start(['orders', 'other']);
    const worker = workerOf(connected, 'orders');
    const append = (condition?: AppendCondition) =>
      worker.call('appendEvents', {
        storeId: 'orders',
        streamId: 's',
        events: events('a', 'b'),
        ...(condition && { condition }),
      });
    await append();
    const query = { items: [{ types: ['b'], tags: ['tag:b'] }] };
    const page = await worker.call('readAll', { storeId: 'orders', query });
    expect(page).toMatchObject({ events: [{ type: 'b', position: 2 }], lastPosition: 2 });
    await expect(append({ failIfEventsMatch: query })).rejects.toMatchObject({
      code: 'append_condition_failed',
      position: 2,
    });
    expect(await append({ failIfEventsMatch: query, after: 2 })).toMatchObject({ position: 4 });
    await worker.call('quickHealthCheck', { storeId: 'orders' });
    expect(connected.committed).toEqual([
      { storeId: 'orders', position: 2 },
      { storeId: 'orders', position: 4 },
    ]);
    await stop(program);
  });

  test('answers a ping between the fragments of a message', async () => {
    const { program, connected } = await start(['orders']);
    const { socket } = connected;
    const text = JSON.stringify({
      jsonrpc: '2.0',
      id: 'mine',
      method: 'getVersion',
      params: { storeId: 'orders', streamId: 'ü'.repeat(70) },
    });
    const answer = new Promise((resolve) => {
      socket.on('message', (data) => {
        const message = JSON.parse(String(data));
        if (message.id === 'mine') resolve(message.result);
      });
    });
    const bytes = Buffer.from(text);
    const pong = once(socket, 'pong');
    // Cut in the middle of a character.
    const cut = bytes.indexOf('ü') + 1;
    socket.send(bytes.subarray(0, cut), { fin: false, binary: false });
    socket.ping('are you there');
    socket.send(bytes.subarray(cut), { fin: true, binary: false });
    expect(String((await pong)[0])).toBe('are you there');
    expect(await answer).toEqual({ version: -1 });
    await stop(program);
  });

  test('answers invalid calls with errors in the format of the contract', async () => {
    const { program, connected } = await start(['orders']);
    const { peer, socket } = connected;
    await expect(peer.call('verifyStream', { storeId: 'orders' })).rejects.toMatchObject({
      code: 'not_supported',
    });
    await expect(peer.call('getVersion', ['orders'])).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(peer.call('getVersion', { storeId: 'nope' })).rejects.toMatchObject({
      code: 'store_not_found',
    });
    const answer = once(socket, 'message');
    socket.send('{');
    expect(JSON.parse(String((await answer)[0]))).toMatchObject({
      id: null,
      error: { code: -32700, data: { code: 'invalid_argument', retriable: false } },
    });
    await stop(program);
  });

  test('reconnects with the same events when the connection breaks', async () => {
    const { program, connected } = await start(['orders']);
    const params = { storeId: 'orders', streamId: 's', events: events('a') };
    await workerOf(connected, 'orders').call('appendEvents', params);
    const again = nextConnection();
    connected.socket.terminate();
    const back = await again;
    await back.registered(1);
    expect(back.registrations.get('orders')).toEqual(connected.registrations.get('orders'));
    const repeated = await workerOf(back, 'orders').call('appendEvents', params);
    expect(repeated).toMatchObject({ version: 0, duplicate: true });
    expect(back.committed[0]).toEqual({ storeId: 'orders', position: 1 });
    await stop(program);
  });

  test('a message of many megabytes comes through both ways', async () => {
    const { program, connected } = await start(['orders']);
    const worker = workerOf(connected, 'orders');
    const large = Array.from({ length: 8 }, () => ({
      id: randomUUID(),
      type: 't',
      data: 'x'.repeat(1_000_000),
    }));
    await worker.call('appendEvents', { storeId: 'orders', streamId: 's', events: large });
    const page = await worker.call('getEvents', { storeId: 'orders', streamId: 's' });
    expect(page.events).toHaveLength(8);
    await stop(program);
  });
});
