import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { connect, createGater, type Gater, type RecordedEvent } from '@esdb-gater/client';
import { createMemoryStore, createStoreWorker } from '@esdb-gater/event-store';
import { createRegistry } from '@esdb-gater/registry';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './support/in-process.ts';

let gateway: TestGateway;
let remote: Gater;
let local: Gater;

beforeAll(async () => {
  gateway = await startTestGateway({ stores: '{"default":{"engine":"memory"}}' });
  remote = await connect(gateway.url, { retry: { baseDelayMs: 1 } });
  const registry = createRegistry();
  registry.register(createStoreWorker(createMemoryStore({ storeId: 'default' }), { nodeId: 'n' }));
  local = createGater({ registry });
});
afterAll(async () => {
  await remote.close();
  await local.close();
  await gateway.close();
});

let lastStream = 0;
const newStream = () => ({ storeId: 'default', streamId: `f-${++lastStream}` });
type Stream = ReturnType<typeof newStream>;

const append = (gater: Gater, stream: Stream, count = 1, type = 't') =>
  gater.appendEvents({ ...stream, events: Array.from({ length: count }, () => ({ type, data: null })) });

/** Reads `count` events of an iteration. */
async function take(
  events: AsyncIterator<RecordedEvent, undefined>,
  count: number,
): Promise<RecordedEvent[]> {
  const taken: RecordedEvent[] = [];
  while (taken.length < count) {
    const { done, value } = await events.next();
    if (done === true) break;
    taken.push(value);
  }
  return taken;
}

/** A proxy that breaks all connections when it is told to. */
async function startProxy() {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((client) => {
    connections += 1;
    const upstream = createConnection(gateway.port, '127.0.0.1');
    client.pipe(upstream);
    upstream.pipe(client);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    cut,
    close() {
      cut();
      server.close();
    },
  };
}

const versions = (events: readonly RecordedEvent[]): number[] => events.map(({ version }) => version);
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe.each([
  ['over WebSocket', () => remote],
  ['in process', () => local],
])('follow %s', (_, gaterOf) => {
  test('gives what is there, tells that it has caught up, and then gives each new event', async () => {
    const gater = gaterOf();
    const stream = newStream();
    const { position } = await append(gater, stream, 250);
    const caughtUp: number[] = [];
    const events = gater.follow(stream, { onCaughtUp: (reached) => caughtUp.push(reached) });
    expect(versions(await take(events, 250))).toEqual(range(250));
    expect(caughtUp).toEqual([]);
    const next = take(events, 3);
    await append(gater, stream, 2);
    await append(gater, newStream());
    await append(gater, stream);
    expect(versions(await next)).toEqual([250, 251, 252]);
    expect(caughtUp.length).toBe(1);
    expect(caughtUp[0]).toBeGreaterThanOrEqual(position);
    await events.return?.();
  });

  test('waits for a stream that does not exist, and goes on with one that was deleted', async () => {
    const gater = gaterOf();
    const stream = newStream();
    const events = gater.follow(stream);
    const first = take(events, 1);
    await append(gater, stream);
    expect(versions(await first)).toEqual([0]);
    await gater.deleteStream(stream);
    const second = take(events, 1);
    await append(gater, stream);
    expect(versions(await second)).toEqual([1]);
    await events.return?.();
  });

  test('begins after a position, in a stream, a query and a whole store', async () => {
    const gater = gaterOf();
    const stream = newStream();
    await append(gater, stream, 30);
    const middle = await append(gater, stream, 1);
    await append(gater, stream, 2, 'wanted');
    const after = middle.position;
    const query = { items: [{ types: ['wanted'] }] };
    for (const selection of [stream, { storeId: 'default' }, { storeId: 'default', query }]) {
      const events = gater.follow({ ...selection, after });
      expect(versions(await take(events, 2))).toEqual([31, 32]);
      await events.return?.();
    }
  });

  test('ends by its signal, also while it waits, and by leaving the loop', async () => {
    const gater = gaterOf();
    const stream = newStream();
    await append(gater, stream, 2);
    const stop = new AbortController();
    const events = gater.follow(stream, { signal: stop.signal });
    await take(events, 2);
    const waiting = events.next();
    stop.abort();
    expect(await waiting).toEqual({ done: true, value: undefined });
    for await (const { version } of gater.follow(stream)) if (version === 1) break;
  });

  test('fails with what the store says, and where its history does not have the position', async () => {
    const gater = gaterOf();
    const follow = (params: object) => gater.follow({ storeId: 'default', ...params }).next();
    await expect(follow({ storeId: 'nowhere' })).rejects.toMatchObject({ code: 'store_not_found' });
    await expect(follow({ after: 1_000_000 })).rejects.toMatchObject({
      code: 'invalid_argument',
      details: { reason: 'position_lost' },
    });
    const afterId = crypto.randomUUID();
    await expect(follow({ after: 1, afterId })).rejects.toMatchObject({
      details: { reason: 'position_lost' },
    });
  });
});

test('a follow goes on without gap or duplicate across broken connections and a slow reader', async () => {
  const proxy = await startProxy();
  const url = `ws://127.0.0.1:${proxy.port}`;
  await using client = await connect(url, { retry: { baseDelayMs: 1, maxDelayMs: 5 } });
  const stream = newStream();
  await append(remote, stream, 20);
  const events = client.follow(stream, { bufferEvents: 7 });
  const seen: number[] = [];
  for (let round = 0; round < 60; round++) {
    await append(remote, stream, 5);
    if (round % 6 === 5) proxy.cut();
    const next = take(events, 4);
    seen.push(...versions(await next));
  }
  seen.push(...versions(await take(events, 320 - seen.length)));
  expect(seen).toEqual(range(320));
  expect(proxy.connections()).toBeGreaterThan(8);
  await events.return?.();
  proxy.close();
});

test('a reader that stops reading makes the client leave the gateway, and return for the rest', async () => {
  const stream = newStream();
  await append(remote, stream, 400);
  const caughtUp: number[] = [];
  const events = remote.follow(stream, { bufferEvents: 10, onCaughtUp: (at) => caughtUp.push(at) });
  const seen = versions(await take(events, 1));
  for (let round = 0; round < 399; round++) seen.push(...versions(await take(events, 1)));
  expect(seen).toEqual(range(400));
  const last = take(events, 1);
  await append(remote, stream);
  expect(versions(await last)).toEqual([400]);
  expect(caughtUp.length).toBeGreaterThan(0);
  await events.return?.();
});
