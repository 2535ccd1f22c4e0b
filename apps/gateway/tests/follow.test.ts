import { createRevocation, createToken, Identity, tokenId } from '@esdb-gater/security';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTestGateway, type TestGateway } from './support/in-process.ts';
import { createListStore } from './support/list-worker.ts';
import { type RawClient, rawConnect } from './support/raw-client.ts';

const root = Identity.generate();
let gateway: TestGateway;
const clients: RawClient[] = [];

beforeAll(async () => {
  gateway = await startTestGateway({
    'security-trusted-issuers': root.did,
    stores: '{"default":{"engine":"sqlite"},"other":{"engine":"memory"}}',
  });
});
afterAll(async () => {
  for (const client of clients) client.socket.terminate();
  await gateway.close();
});

async function connect(token?: string): Promise<RawClient> {
  const client = await rawConnect(
    gateway.url,
    token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
  );
  clients.push(client);
  return client;
}

let lastStream = 0;
const newStream = (): string => `follow-${++lastStream}`;

async function append(client: RawClient, streamId: string, count = 1, size = 0): Promise<number> {
  const events = Array.from({ length: count }, () => ({ type: 't', data: 'x'.repeat(size) }));
  const { result, error } = await client.call('appendEvents', { storeId: 'default', streamId, events });
  if (error !== undefined) throw new Error(error.message);
  return (result as { position: number }).position;
}

async function follow(client: RawClient, params: object): Promise<string> {
  const { result, error } = await client.call('followEvents', { storeId: 'default', ...params });
  if (error !== undefined) throw new Error(`${error.data.code} ${error.data['reason']}`);
  return (result as { followId: string }).followId;
}

const noticesOf = (client: RawClient, followId: string, method: string) =>
  client.notices.filter((notice) => notice.method === method && notice.params['followId'] === followId);

interface Followed {
  readonly version: number;
  readonly position: number;
  readonly streamId: string;
  readonly id: string;
}

const eventsOf = (client: RawClient, followId: string): Followed[] =>
  noticesOf(client, followId, 'followed').map(({ params }) => params['event'] as Followed);

const versionsOf = (client: RawClient, followId: string): number[] =>
  eventsOf(client, followId).map(({ version }) => version);

const range = (count: number): number[] => Array.from({ length: count }, (_, version) => version);

test('a stream is caught up with and goes on live; the answer comes first', async () => {
  const client = await connect();
  const streamId = newStream();
  const position = await append(client, streamId, 3);
  const followId = await follow(client, { streamId });
  await client.until(() => noticesOf(client, followId, 'caughtUp').length === 1);
  const answered = client.texts.findIndex((text) => text.includes('"result":{"followId"'));
  const first = client.texts.findIndex((text) => text.includes('"method":"followed"'));
  expect(answered).toBeGreaterThan(-1);
  expect(first).toBeGreaterThan(answered);
  const [caughtUp] = noticesOf(client, followId, 'caughtUp');
  expect(caughtUp?.params['position']).toBeGreaterThanOrEqual(position);
  const late = await append(client, streamId, 2);
  await client.until(() => eventsOf(client, followId).at(-1)?.position === late);
  expect(versionsOf(client, followId)).toEqual(range(5));
});

test('in a batch what is followed comes after all answers', async () => {
  const client = await connect();
  const streamId = newStream();
  await append(client, streamId, 2);
  const call = (id: number, method: string, params: object) => ({ jsonrpc: '2.0', id, method, params });
  client.send([
    call(1_001, 'followEvents', { storeId: 'default', streamId }),
    call(1_002, 'getVersion', { storeId: 'default', streamId }),
  ]);
  await client.until(() => client.notices.some(({ method }) => method === 'caughtUp'));
  const answers = client.texts.findIndex((text) => text.startsWith('['));
  expect(answers).toBeLessThan(client.texts.findIndex((text) => text.includes('"method":"followed"')));
});

test('a whole store is followed, and a query where the store knows queries or not', async () => {
  const client = await connect();
  const streamId = newStream();
  const after = await append(client, streamId);
  const store = await follow(client, { after });
  const byType = await follow(client, { after, query: { items: [{ types: ['wanted'] }] } });
  await append(client, newStream(), 2);
  const events = [{ type: 'wanted', data: null }];
  await client.call('appendEvents', { storeId: 'default', streamId, events });
  await client.until(() => eventsOf(client, store).length === 3 && eventsOf(client, byType).length === 1);
  expect(eventsOf(client, store).map(({ position }) => position)).toEqual([after + 1, after + 2, after + 3]);
  expect(eventsOf(client, byType)[0]?.position).toBe(after + 3);
});

test('a follow begins after a position, in a stream, too, and its proof is checked', async () => {
  const client = await connect();
  const streamId = newStream();
  await append(client, streamId, 5);
  const all = await follow(client, { streamId });
  await client.until(() => eventsOf(client, all).length === 5);
  const { position: after, id: afterId } = eventsOf(client, all)[2] as Followed;
  const later = await follow(client, { streamId, after, afterId });
  await client.until(() => eventsOf(client, later).length === 2);
  expect(versionsOf(client, later)).toEqual([3, 4]);
  await expect(follow(client, { streamId, after: after + 1, afterId })).rejects.toThrow(
    'invalid_argument position_lost',
  );
  await expect(follow(client, { after: 1_000_000 })).rejects.toThrow('invalid_argument position_lost');
});

test('a stream that does not exist, and a deleted one, are waited for', async () => {
  const client = await connect();
  const streamId = newStream();
  const followId = await follow(client, { streamId });
  await append(client, streamId);
  await client.until(() => eventsOf(client, followId).length === 1);
  await client.call('deleteStream', { storeId: 'default', streamId });
  await append(client, streamId);
  await client.until(() => eventsOf(client, followId).length === 2);
  expect(versionsOf(client, followId)).toEqual([0, 1]);
});

test('unfollow ends a follow, and says whether there was one', async () => {
  const client = await connect();
  const streamId = newStream();
  const followId = await follow(client, { streamId });
  const other = await follow(client, { streamId });
  expect(await client.call('unfollow', { followId })).toMatchObject({ result: { removed: true } });
  expect(await client.call('unfollow', { followId })).toMatchObject({ result: { removed: false } });
  await append(client, streamId);
  await client.until(() => eventsOf(client, other).length === 1);
  expect(eventsOf(client, followId)).toEqual([]);
});

test('an unknown store is refused at once, and a connection has a bounded number of follows', async () => {
  const client = await connect();
  await expect(follow(client, { storeId: 'nowhere' })).rejects.toThrow('store_not_found');
  const streamId = newStream();
  const answers = await Promise.all(
    Array.from({ length: 1_001 }, () => client.call('followEvents', { storeId: 'default', streamId })),
  );
  const refused = answers.filter(({ error }) => error !== undefined);
  expect(refused.map(({ error }) => error?.data.code)).toEqual(['overloaded']);
});

test('a reader that does not read is held back, costs bounded memory and misses nothing', async () => {
  const client = await connect();
  const slow = await connect();
  const streamId = newStream();
  await append(client, streamId);
  const followId = await follow(slow, { streamId });
  const fast = await follow(client, { streamId });
  await slow.until(() => noticesOf(slow, followId, 'caughtUp').length === 1);
  slow.socket.pause();
  for (let round = 0; round < 30; round++) await append(client, streamId, 10, 100_000);
  await client.until(() => eventsOf(client, fast).length === 301);
  // 30 MB were committed.
  const metrics = await (await fetch(`${gateway.http}/metrics`)).text();
  const queued = Number(/^esdb_gater_send_queue_bytes(?:\{.*\})? (\S+)$/m.exec(metrics)?.[1]);
  expect(queued).toBeGreaterThan(100_000);
  expect(queued).toBeLessThan(2_000_000);
  slow.socket.resume();
  await slow.until(() => eventsOf(slow, followId).length === 301);
  expect(versionsOf(slow, followId)).toEqual(range(301));
  await slow.until(() => noticesOf(slow, followId, 'caughtUp').length === 2);
  expect(noticesOf(slow, followId, 'fellBehind').length).toBe(1);
});

test('a follow needs stream/read on what it follows, and ends with its token', async () => {
  const streamId = newStream();
  const grant = (resource: string, lifetimeSeconds = 900) =>
    createToken({
      issuer: root,
      audience: gateway.did,
      att: [{ with: `esdb://default/stream/default/${resource}`, can: 'stream/read' }],
      lifetimeSeconds,
    });
  const client = await connect(grant(streamId));
  await expect(follow(client, {})).rejects.toThrow('unauthorized insufficient_permissions');
  await expect(follow(client, { streamId: 'elsewhere' })).rejects.toThrow(
    'unauthorized insufficient_permissions',
  );
  expect(await follow(client, { streamId })).toEqual(expect.any(String));
  // A token of a single call holds the follow that it authorised.
  const open = await connect();
  const own = grant(streamId);
  await follow(open, { streamId, token: own });
  const revoker = await connect();
  const { error } = await revoker.call('revokeToken', createRevocation(root, { cid: tokenId(own) }));
  expect(error).toBeUndefined();
  expect((await open.closed).code).toBe(4403);
});

test('a remote store that goes away and comes back loses nothing', async () => {
  const client = await connect();
  const store = createListStore('remote-follow', 'uuid-1');
  store.commit(3);
  const first = await store.serve(gateway.url);
  const followId = await follow(client, { storeId: 'remote-follow' });
  await client.until(() => eventsOf(client, followId).length === 3);
  await first.close();
  store.commit(4);
  const second = await store.serve(gateway.url);
  second.send({
    jsonrpc: '2.0',
    method: 'committed',
    params: { storeId: 'remote-follow', position: 7 },
  });
  await client.until(() => eventsOf(client, followId).length === 7);
  expect(eventsOf(client, followId).map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  await second.close();
});

test('a remote store that is restored under a follow is read again from its proved beginning', async () => {
  const client = await connect();
  const store = createListStore('restored-follow', 'uuid-2');
  store.commit(5);
  const worker = await store.serve(gateway.url);
  const followId = await follow(client, { storeId: 'restored-follow' });
  await client.until(() => noticesOf(client, followId, 'caughtUp').length === 1);
  store.events = store.events.slice(0, 2);
  store.commit(6);
  await client.until(() => eventsOf(client, followId).length >= 11);
  const seen = new Set(eventsOf(client, followId).map(({ id }) => id));
  expect(store.events.filter(({ id }) => !seen.has(id as string))).toEqual([]);
  await vi.waitFor(() => expect(noticesOf(client, followId, 'fellBehind').length).toBe(1));
  await worker.close();
});
