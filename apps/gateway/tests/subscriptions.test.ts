import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './support/in-process.ts';
import { type RawClient, rawConnect } from './support/raw-client.ts';

let gateway: TestGateway;
const clients: RawClient[] = [];

beforeAll(async () => {
  gateway = await startTestGateway({
    stores: '{"default":{"engine":"sqlite"},"scratch":{"engine":"memory"}}',
  });
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close().catch(() => undefined)));
  await gateway.close();
});

async function connect(): Promise<RawClient> {
  const client = await rawConnect(gateway.url);
  clients.push(client);
  return client;
}

let names = 0;

/** A subscription to one new stream, and a connection. */
async function opened(storeId = 'default') {
  const client = await connect();
  names += 1;
  const streamId = `s-${names}`;
  const named = { storeId, name: `sub/${names} é` };
  const params = { ...named, type: 'stream', selector: streamId };
  const append = (count = 1) =>
    client.call('appendEvents', {
      storeId,
      streamId,
      events: Array.from({ length: count }, (_, n) => ({ type: 'counted', data: { n } })),
    });
  return { client, streamId, named, params, append };
}

interface Delivered {
  readonly storeId: string;
  readonly name: string;
  readonly attempt: number;
  readonly event: { readonly streamId: string; readonly version: number; readonly position: number };
}

const eventsOf = ({ notices }: RawClient): Delivered[] =>
  notices.filter(({ method }) => method === 'event').map(({ params }) => params as unknown as Delivered);

const versionsOf = (client: RawClient): number[] => eventsOf(client).map(({ event }) => event.version);

describe('over a WebSocket', () => {
  test.each(['default', 'scratch'])(
    'store %s: events are delivered after the answer, acknowledged, and their attempts counted',
    async (storeId) => {
      const { client, streamId, named, params, append } = await opened(storeId);
      await append(2);
      const { result } = await client.call('saveSubscription', params);
      const { subscription } = result as { subscription: Record<string, unknown> };
      expect(subscription).toMatchObject({
        ...params,
        startFrom: 0,
        checkpoint: 0,
        parked: 0,
        subscribers: 1,
      });
      await client.until(() => eventsOf(client).length === 2);
      const [first] = eventsOf(client);
      expect(first).toMatchObject({ ...named, attempt: 1, event: { streamId, version: 0, storeId } });
      const answerAt = client.texts.findIndex((text) => text.includes('"subscription"'));
      expect(client.texts.findIndex((text) => text.includes('"method":"event"'))).toBeGreaterThan(answerAt);
      const at = { ...named, streamId };
      const retried = await client.call('nackEvent', { ...at, eventNumber: 0, action: 'retry' });
      expect(retried.result).toEqual({ checkpoint: expect.any(Number) });
      await client.until(() => eventsOf(client).length === 4);
      expect(eventsOf(client)[2]).toMatchObject({ attempt: 2, event: { version: 0 } });
      const { result: acked } = await client.call('ackEvent', { ...at, eventNumber: 1, upTo: true });
      expect(acked).toEqual({ checkpoint: eventsOf(client)[1]?.event.position });
      await append();
      await client.until(() => eventsOf(client).length === 5);
      expect(await client.call('leaveSubscription', named)).toMatchObject({ result: { left: true } });
      expect(await client.call('leaveSubscription', named)).toMatchObject({ result: { left: false } });
      await append();
      const listed = await client.call('getSubscriptions', { storeId });
      const { subscriptions } = listed.result as { subscriptions: { name: string; subscribers: number }[] };
      expect(subscriptions.find(({ name }) => name === named.name)).toMatchObject({ subscribers: 0 });
      expect(versionsOf(client)).toEqual([0, 1, 0, 1, 2]);
    },
  );

  test('in a batch the answer comes before its events', async () => {
    const { client, params, append } = await opened();
    await append(3);
    client.send([
      { jsonrpc: '2.0', id: 'a', method: 'saveSubscription', params },
      { jsonrpc: '2.0', id: 'b', method: 'health', params: {} },
    ]);
    await client.until(() => eventsOf(client).length === 3);
    const answerAt = client.texts.findIndex((text) => text.includes('"subscription"'));
    expect(answerAt).toBeGreaterThan(0);
    expect(client.texts.findIndex((text) => text.includes('"method":"event"'))).toBeGreaterThan(answerAt);
  });

  test('a connection that breaks hands its events over to another one', async () => {
    const { client, streamId, named, params, append } = await opened();
    await append(3);
    await client.call('saveSubscription', params);
    await client.until(() => eventsOf(client).length === 3);
    const other = await connect();
    await other.call('saveSubscription', params);
    await client.call('ackEvent', { ...named, streamId, eventNumber: 0 });
    client.socket.terminate();
    await other.until(() => eventsOf(other).length === 2);
    expect(eventsOf(other).map(({ event, attempt }) => [event.version, attempt])).toEqual([
      [1, 2],
      [2, 2],
    ]);
  });

  test('a repeated saveSubscription of a connection joins once', async () => {
    const { client, params, append } = await opened();
    await append(1);
    await Promise.all([client.call('saveSubscription', params), client.call('saveSubscription', params)]);
    const { result } = await client.call('saveSubscription', params);
    expect(result).toMatchObject({ subscription: { subscribers: 1 } });
    await client.until(() => eventsOf(client).length === 1);
    const other = await client.call('saveSubscription', { ...params, selector: 'other' });
    expect(other.error?.data).toMatchObject({ code: 'invalid_argument', reason: 'subscription_mismatch' });
  });

  test('acknowledgements of what was not sent, or not joined, or does not exist, are told apart', async () => {
    const { client, streamId, named, params, append } = await opened();
    await append(1);
    const at = { ...named, streamId, eventNumber: 0 };
    const unknown = await client.call('ackEvent', at);
    expect(unknown.error?.data).toMatchObject({ code: 'subscription_not_found' });
    await client.call('saveSubscription', params);
    await client.until(() => eventsOf(client).length === 1);
    const future = await client.call('ackEvent', { ...at, eventNumber: 5 });
    expect(future.error).toMatchObject({
      code: -32602,
      data: { code: 'invalid_argument', reason: 'not_delivered' },
    });
    const other = await connect();
    const stranger = await other.call('nackEvent', { ...at, action: 'skip' });
    expect(stranger.error?.data).toMatchObject({ code: 'invalid_argument', reason: 'not_joined' });
  });

  test('events are parked, listed, replayed and reset', async () => {
    const { client, streamId, named, params, append } = await opened();
    await append(2);
    await client.call('saveSubscription', params);
    await client.until(() => eventsOf(client).length === 2);
    const refusal = { ...named, streamId, eventNumber: 0, action: 'park', reason: 'broken' };
    await client.call('nackEvent', refusal);
    const { result } = await client.call('listParked', named);
    expect(result).toEqual({
      events: [
        { event: eventsOf(client)[0]?.event, reason: 'broken', attempts: 1, parkedAt: expect.any(String) },
      ],
    });
    expect(await client.call('replayParked', named)).toMatchObject({ result: { count: 1 } });
    await client.until(() => eventsOf(client).length === 3);
    expect(eventsOf(client)[2]).toMatchObject({ attempt: 2, event: { version: 0 } });
    expect(await client.call('resetSubscription', { ...named, startFrom: 0 })).toMatchObject({ result: {} });
    await client.until(() => eventsOf(client).length === 5);
    expect(versionsOf(client).slice(3)).toEqual([0, 1]);
    for (const method of ['listParked', 'replayParked', 'resetSubscription']) {
      const { error } = await client.call(method, {
        storeId: 'default',
        name: 'none',
        ...(method === 'resetSubscription' ? { startFrom: 0 } : {}),
      });
      expect(error?.data, method).toMatchObject({ code: 'subscription_not_found' });
    }
  });

  test('a client that does not read gets nothing more, and another one gets its events in time', async () => {
    const { client, params, append } = await opened();
    const big = 'x'.repeat(100_000);
    for (let round = 0; round < 60; round++) {
      await client.call('appendEvents', {
        storeId: 'default',
        streamId: params.selector,
        events: [{ type: 'big', data: big }],
      });
    }
    const slow = await connect();
    slow.socket.pause();
    slow.send({
      jsonrpc: '2.0',
      id: 1,
      method: 'saveSubscription',
      params: { ...params, ackTimeoutMs: 500, maxInFlight: 60 },
    });
    const listed = async (): Promise<number> => {
      const { result } = await client.call('getSubscriptions', { storeId: 'default' });
      const { subscriptions } = result as { subscriptions: { name: string; subscribers: number }[] };
      return subscriptions.find(({ name }) => name === params.name)?.subscribers ?? 0;
    };
    await expect.poll(listed, { timeout: 10_000 }).toBe(1);
    const quick = await connect();
    await quick.call('saveSubscription', { ...params, maxInFlight: 100 });
    await quick.until(() => eventsOf(quick).length >= 60);
    expect(new Set(versionsOf(quick)).size).toBe(60);
    await append();
    slow.socket.terminate();
  });
});

describe('over HTTP', () => {
  test('a subscription is made without joining, read, listed and removed', async () => {
    const { client, streamId, named, append } = await opened();
    await append(1);
    const url = `${gateway.http}/v1/stores/default/subscriptions`;
    const one = `${url}/${encodeURIComponent(named.name)}`;
    expect((await fetch(one)).status).toBe(404);
    const put = (body: object) =>
      fetch(one, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const made = await put({ type: 'stream', selector: streamId });
    expect(made.status).toBe(200);
    const { subscription } = (await made.json()) as { subscription: object };
    expect(subscription).toMatchObject({ ...named, subscribers: 0, checkpoint: 0 });
    expect(await (await fetch(one)).json()).toMatchObject({ ...named, selector: streamId });
    const { subscriptions } = (await (await fetch(url)).json()) as { subscriptions: { name: string }[] };
    expect(subscriptions.map(({ name }) => name)).toContain(named.name);
    const mismatch = await put({ type: 'stream', selector: '$all' });
    expect([mismatch.status, await mismatch.json()]).toMatchObject([
      422,
      { reason: 'subscription_mismatch' },
    ]);
    await client.call('saveSubscription', { ...named, type: 'stream', selector: streamId });
    await client.until(() => eventsOf(client).length === 1);
    expect(await (await fetch(one, { method: 'DELETE' })).json()).toEqual({ removed: true });
    expect(await (await fetch(one, { method: 'DELETE' })).json()).toEqual({ removed: false });
    const missing = await fetch(one);
    expect([missing.status, await missing.json()]).toMatchObject([404, { code: 'subscription_not_found' }]);
    const late = await client.call('ackEvent', { ...named, streamId, eventNumber: 0 });
    expect(late.error?.data).toMatchObject({ code: 'subscription_not_found' });
  });

  test('an unknown store is 404', async () => {
    const response = await fetch(`${gateway.http}/v1/stores/none/subscriptions`);
    expect([response.status, await response.json()]).toMatchObject([404, { code: 'store_not_found' }]);
  });
});
