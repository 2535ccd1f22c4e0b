import { runInNewContext } from 'node:vm';
import { GaterError, silentLogger } from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import { clientRetries } from '../src/connection/retrying-calls.ts';
import { type ConnectOptions, connect, type RemoteGater } from '../src/index.ts';
import { FakeGateway, turns } from './fake-gateway.ts';

const RETRY = { baseDelayMs: 0, maxAttempts: 4 };

function connectTo(gateway: FakeGateway, options: ConnectOptions = {}): Promise<RemoteGater> {
  return connect('ws://gateway', { retry: RETRY, ...options }, { openSocket: gateway.openSocket });
}

/** Fails the first calls of a method with these errors, then answers. */
function failing(gateway: FakeGateway, method: string, errors: GaterError[], result: unknown = {}): void {
  gateway.answers.set(method, () => {
    const error = errors.shift();
    if (error !== undefined) throw error;
    return result;
  });
}

const callsOf = (gateway: FakeGateway, method: string) =>
  gateway.calls.filter((call) => call.method === method);

describe('retries of the client', () => {
  test('unavailable and overloaded are repeated, timeout and no_workers are not', async () => {
    for (const [code, calls] of [
      ['unavailable', 2],
      ['overloaded', 2],
      ['timeout', 1],
      ['no_workers', 1],
      ['wrong_expected_version', 1],
    ] as const) {
      const gateway = new FakeGateway();
      failing(gateway, 'getVersion', [new GaterError(code, 'no')], { version: 3 });
      const client = await connectTo(gateway);
      const answer = client.getVersion({ storeId: 's', streamId: 'a' });
      if (calls === 2) expect(await answer).toEqual({ version: 3 });
      else await expect(answer).rejects.toMatchObject({ code });
      expect(callsOf(gateway, 'getVersion')).toHaveLength(calls);
      await client.close();
    }
  });

  test('rate_limited is repeated only when asked, and not before its time', async () => {
    const gateway = new FakeGateway();
    const limited = () => new GaterError('rate_limited', 'slow', { details: { retryAfterMs: 30 } });
    const client = await connectTo(gateway);
    failing(gateway, 'publish', [limited()]);
    const params = { channel: 'metrics', topic: 'a', message: 1 } as const;
    await expect(client.publish(params)).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 30 });
    failing(gateway, 'publish', [limited()], { id: 'x', delivered: true });
    const start = performance.now();
    await client.publish(params, { retryRateLimited: true });
    expect(performance.now() - start).toBeGreaterThan(25);
    await client.close();
  });

  test('when attempts are used up the error is retries_exhausted with its cause', async () => {
    const gateway = new FakeGateway();
    gateway.answers.set('getVersion', () => {
      throw new GaterError('unavailable', 'no');
    });
    const client = await connectTo(gateway);
    await expect(client.getVersion({ storeId: 's', streamId: 'a' })).rejects.toMatchObject({
      code: 'retries_exhausted',
      attempts: 4,
      cause: 'unavailable',
    });
    await client.close();
  });

  test('a lost answer does not append twice: the same ids are sent again', async () => {
    const gateway = new FakeGateway();
    let lost = false;
    gateway.answers.set('appendEvents', () => {
      if (!lost) {
        lost = true;
        gateway.cut();
      }
      return { version: 0, position: 1, count: 1, duplicate: lost };
    });
    const client = await connectTo(gateway);
    await client.appendEvents({ storeId: 's', streamId: 'a', events: [{ type: 't', data: 1 }] });
    const [first, second] = callsOf(gateway, 'appendEvents').map(({ params }) => params['events']);
    expect(first).toEqual([{ type: 't', data: 1, id: expect.stringMatching(/^[0-9a-f-]{36}$/) }]);
    expect(second).toEqual(first);
    await client.close();
  });

  test('publish always carries an id, the same one when it is sent again', async () => {
    const gateway = new FakeGateway();
    failing(gateway, 'publish', [new GaterError('overloaded', 'full')], { id: 'x', delivered: true });
    const client = await connectTo(gateway);
    await client.publish({ channel: 'events', topic: 'a', message: null });
    const ids = callsOf(gateway, 'publish').map(({ params }) => params['id']);
    expect(ids).toEqual([expect.any(String), ids[0]]);
    await client.close();
  });

  test('what is not idempotent is not repeated after its connection broke', async () => {
    const gateway = new FakeGateway();
    gateway.answers.set('deleteStream', () => {
      gateway.cut();
      return { version: 1 };
    });
    const client = await connectTo(gateway);
    await expect(client.deleteStream({ storeId: 's', streamId: 'a' })).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect(callsOf(gateway, 'deleteStream')).toHaveLength(1);
    await client.close();
  });

  test('what never reached a gateway is repeated even when it is not idempotent', () => {
    const never = new GaterError('unavailable', 'the connection is closed');
    expect(clientRetries('deleteStream', never, false)).toBe(true);
  });

  test('a call that is made without a connection waits for the next one', async () => {
    const gateway = new FakeGateway();
    gateway.answers.set('getVersion', () => ({ version: 7 }));
    const client = await connectTo(gateway);
    gateway.cut();
    await turns(3);
    expect(await client.getVersion({ storeId: 's', streamId: 'a' })).toEqual({ version: 7 });
    await client.close();
  });
});

describe('bounds of a call', () => {
  test('a call that is not answered in time ends with timeout, one without a connection with unavailable', async () => {
    const gateway = new FakeGateway();
    gateway.answers.set('getVersion', () => new Promise(() => {}));
    const client = await connectTo(gateway);
    const ask = () => client.getVersion({ storeId: 's', streamId: 'a' }, { timeoutMs: 20 });
    await expect(ask()).rejects.toMatchObject({ code: 'timeout' });
    gateway.refusals.push(...Array(1_000).fill(new GaterError('unavailable', 'down')));
    gateway.cut();
    await turns(3);
    await expect(ask()).rejects.toMatchObject({ code: 'unavailable' });
    await client.close();
  });

  test('a call that is refused, tried again and then out of time says why it was refused', async () => {
    const gateway = new FakeGateway();
    const refused = [
      new GaterError('unavailable', 'Kafka is away'),
      new GaterError('overloaded', 'still away'),
    ];
    gateway.answers.set('publish', () => {
      const error = refused.shift();
      if (error !== undefined) throw error;
      return new Promise(() => {});
    });
    const told: unknown[] = [];
    const logger = { ...silentLogger, info: (fields: object) => told.push(fields) };
    const client = await connect(
      'ws://gateway',
      { retry: RETRY },
      { openSocket: gateway.openSocket, logger },
    );
    const published = client.publish({ channel: 'system', topic: 'a', message: 1 }, { timeoutMs: 60 });
    await expect(published).rejects.toMatchObject({
      code: 'overloaded',
      message: 'still away',
      attempts: 3,
      retriable: true,
    });
    expect(told).toMatchObject([
      { method: 'publish', attempt: 0, err: { code: 'unavailable' } },
      { method: 'publish', attempt: 1, err: { code: 'overloaded' } },
    ]);
    await client.close();
  });

  test('a signal ends a call at once, with its reason', async () => {
    const gateway = new FakeGateway();
    gateway.answers.set('getVersion', () => new Promise(() => {}));
    const client = await connectTo(gateway);
    const abort = new AbortController();
    const answer = client.getVersion({ storeId: 's', streamId: 'a' }, { signal: abort.signal });
    await turns(2);
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(answer).rejects.toBe(reason);
    await client.close();
  });

  test('more calls than allowed wait here, in order, and all are answered', async () => {
    const gateway = new FakeGateway();
    let running = 0;
    let most = 0;
    gateway.answers.set('getVersion', async (params) => {
      most = Math.max(most, ++running);
      await turns(2);
      running--;
      return { version: Number(params['streamId']) };
    });
    const client = await connectTo(gateway, { maxInFlight: 5 });
    const asked = Array.from({ length: 50 }, (_, index) =>
      client.getVersion({ storeId: 's', streamId: `${index}` }),
    );
    expect((await Promise.all(asked)).map(({ version }) => version)).toEqual(asked.map((_, index) => index));
    expect(most).toBe(5);
    await client.close();
  });

  test('after the close every call is unavailable at once, and those under way too', async () => {
    const gateway = new FakeGateway();
    gateway.answers.set('getVersion', () => new Promise(() => {}));
    const client = await connectTo(gateway);
    const under = client.getVersion({ storeId: 's', streamId: 'a' });
    under.catch(() => {});
    await turns(2);
    await client.close();
    await expect(under).rejects.toMatchObject({ code: 'unavailable' });
    await expect(client.health()).rejects.toMatchObject({ code: 'unavailable' });
    await turns(2);
    expect(gateway.connections.size).toBe(0);
  });
});

describe('what JSON cannot hold', () => {
  class Money {
    readonly amount = 1;
  }
  const WRONG: readonly (readonly [string, unknown])[] = [
    ['a Map', new Map([['a', 1]])],
    ['a Set', new Set([1])],
    ['a RegExp', /a/],
    ['an instance of a class', new Money()],
    ['an Error', new Error('x')],
    ['bytes', new Uint8Array(2)],
    ['a promise', Promise.resolve(1)],
    ['an invalid Date', new Date(Number.NaN)],
    ['a bigint', 1n],
    ['a function', () => 1],
  ];

  test.each(WRONG)('%s is refused with its path, and nothing is sent [R17]', async (_, value) => {
    const gateway = new FakeGateway();
    const client = await connectTo(gateway);
    const wrong = { deep: [0, { value }] } as never;
    const stream = { storeId: 's', streamId: 'a' };
    const snapshot = { storeId: 's', sourceUuid: 'a', streamUuid: 'b', version: 1 };
    for (const [call, path] of [
      [client.appendEvents({ ...stream, events: [{ type: 't', data: wrong }] }), 'events[0].data'],
      [
        client.appendEvents({ ...stream, events: [{ type: 't', data: 1, metadata: wrong }] }),
        'events[0].metadata',
      ],
      [client.publish({ channel: 'system', topic: 'a', message: wrong }), 'message'],
      [client.recordSnapshot({ ...snapshot, record: wrong }), 'record'],
    ] as const) {
      await expect(call).rejects.toMatchObject({
        code: 'invalid_argument',
        reason: 'json',
        path: `${path}.deep[1].value`,
      });
    }
    expect(gateway.calls).toEqual([]);
    await client.close();
  });

  test('a valid Date becomes its ISO text, and plain objects of any origin pass [R17]', async () => {
    const gateway = new FakeGateway();
    gateway.answers.set('publish', () => ({ id: 'x', delivered: true }));
    const client = await connectTo(gateway);
    const bare = Object.assign(Object.create(null) as object, { a: 1 });
    const message = { at: new Date(0), bare, other: runInNewContext('({ b: [{}] })') } as never;
    await client.publish({ channel: 'system', topic: 'a', message });
    const sent = { at: '1970-01-01T00:00:00.000Z', bare: { a: 1 }, other: { b: [{}] } };
    expect(callsOf(gateway, 'publish')[0]?.params['message']).toEqual(sent);
    await client.close();
  });
});

describe('methods', () => {
  test('a token of one call stands in its parameters', async () => {
    const gateway = new FakeGateway();
    gateway.answers.set('health', () => ({}));
    const client = await connectTo(gateway);
    await client.health({}, { token: 'T' });
    await client.health();
    expect(callsOf(gateway, 'health').map(({ params }) => params)).toEqual([{ token: 'T' }, {}]);
    await client.close();
  });

  test('events and allEvents read page by page', async () => {
    const gateway = new FakeGateway();
    const all = Array.from({ length: 7 }, (_, version) => ({ version, position: version + 1 }));
    gateway.answers.set('getEvents', ({ startVersion = 0 }) => {
      const from = Number(startVersion);
      const next = from + 3 < all.length ? { next: from + 3 } : {};
      return { events: all.slice(from, from + 3), version: 6, ...next };
    });
    gateway.answers.set('readAll', ({ after = 0 }) => {
      const from = Number(after);
      const next = from + 3 < all.length ? { next: from + 3 } : {};
      return { events: all.slice(from, from + 3), lastPosition: 7, ...next };
    });
    const client = await connectTo(gateway);
    const versions = await Array.fromAsync(
      client.events({ storeId: 's', streamId: 'a' }),
      (event) => event.version,
    );
    const positions = await Array.fromAsync(client.allEvents({ storeId: 's' }), (event) => event.position);
    expect([versions, positions]).toEqual([
      [0, 1, 2, 3, 4, 5, 6],
      [1, 2, 3, 4, 5, 6, 7],
    ]);
    expect(callsOf(gateway, 'getEvents').map(({ params }) => params['startVersion'])).toEqual([
      undefined,
      3,
      6,
    ]);
    await client.close();
  });

  test('the next page is asked for while one is being read, once more than its first event is wanted', async () => {
    const gateway = new FakeGateway();
    gateway.answers.set('readAll', ({ after = 0 }) => {
      const from = Number(after);
      if (from === 6) throw new GaterError('store_not_found', 'gone');
      const events = [1, 2, 3].map((one) => ({ position: from + one }));
      return { events, lastPosition: 9, next: from + 3 };
    });
    const client = await connectTo(gateway);
    const asked = () => callsOf(gateway, 'readAll').map(({ params }) => params['after']);
    const events = client.allEvents({ storeId: 's' });
    expect((await events.next()).value?.position).toBe(1);
    expect(asked()).toEqual([undefined]);
    expect((await events.next()).value?.position).toBe(2);
    await turns();
    expect(asked()).toEqual([undefined, 3]);
    const rest: unknown[] = [];
    // The failure of a page comes after the events before it.
    const reading = (async () => {
      for await (const { position } of events) rest.push(position);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'store_not_found' });
    expect(rest).toEqual([3, 4, 5, 6]);
    await client.close();
  });

  test('events of a program are typed', async () => {
    type UserEvents =
      | { readonly type: 'user_created'; readonly data: { readonly name: string } }
      | { readonly type: 'user_left'; readonly data: { readonly at: string } };
    const gateway = new FakeGateway();
    gateway.answers.set('getEvents', () => ({
      events: [{ type: 'user_created', data: { name: 'Ada' } }],
      version: 0,
    }));
    const client = await connectTo(gateway);
    const users = client.withEvents<UserEvents>();
    const { events } = await users.getEvents({ storeId: 's', streamId: 'a' });
    const names = events.map((event) => (event.type === 'user_created' ? event.data.name : event.data.at));
    expect(names).toEqual(['Ada']);
    // @ts-expect-error an event of another type does not compile
    const wrong = () => users.appendEvents({ storeId: 's', streamId: 'a', events: [{ type: 'x', data: 1 }] });
    expect(wrong).toBeTypeOf('function');
    await client.close();
  });
});

describe('persistent subscriptions', () => {
  const event = (version: number) => ({ streamId: 'a', version, position: version + 1 });
  const subscription = { storeId: 's', name: 'n' };

  test('events are read, acknowledged and refused, and the subscription is joined again after a break', async () => {
    const gateway = new FakeGateway();
    gateway.answers.set('saveSubscription', (_params, connection) => {
      const version = gateway.opened - 1;
      connection.peer.notify('event', { ...subscription, event: event(version), attempt: 1 });
      return { subscription };
    });
    gateway.answers.set('ackEvent', () => ({ checkpoint: 1 }));
    gateway.answers.set('nackEvent', () => ({ checkpoint: 1 }));
    gateway.answers.set('leaveSubscription', () => ({ left: true }));
    const client = await connectTo(gateway);
    const joined = await client.saveSubscription({ ...subscription, type: 'stream', selector: 'a' });
    const seen: number[] = [];
    for await (const delivered of joined) {
      seen.push(delivered.event.version);
      if (seen.length === 1) {
        await delivered.ack();
        gateway.cut();
      } else {
        await delivered.nack({ action: 'park', reason: 'bad' });
        break;
      }
    }
    expect(seen).toEqual([0, 1]);
    expect(joined.position).toBe(2);
    expect(callsOf(gateway, 'ackEvent')[0]?.params).toEqual({
      ...subscription,
      streamId: 'a',
      eventNumber: 0,
    });
    expect(callsOf(gateway, 'nackEvent')[0]?.params).toEqual({
      ...subscription,
      streamId: 'a',
      eventNumber: 1,
      action: 'park',
      reason: 'bad',
    });
    expect(await joined.unsubscribe()).toEqual({ left: true });
    await client.close();
  });

  const params = { ...subscription, type: 'stream', selector: 'a' } as const;

  /** A gateway that knows the subscription, and a client that has joined it. */
  async function joinedTo(gateway = new FakeGateway()) {
    gateway.answers.set('saveSubscription', () => ({ subscription: { ...subscription, checkpoint: 0 } }));
    gateway.answers.set('ackEvent', () => ({ checkpoint: 1 }));
    gateway.answers.set('nackEvent', () => ({ checkpoint: 0 }));
    const client = await connectTo(gateway);
    const joined = await client.saveSubscription(params);
    const deliver = (version: number, attempt = 1, streamId = 'a'): void => {
      for (const { peer } of gateway.connections) {
        peer.notify('event', { ...subscription, event: { ...event(version), streamId }, attempt });
      }
    };
    const next = async () => (await joined[Symbol.asyncIterator]().next()).value;
    return { gateway, client, joined, deliver, next };
  }

  test('a subscription that cannot be joined again at once is joined as soon as that is possible', async () => {
    const { gateway, client, deliver, next } = await joinedTo();
    failing(
      gateway,
      'saveSubscription',
      [new GaterError('no_workers', 'none'), new GaterError('store_not_found', 'not yet')],
      { subscription },
    );
    gateway.cut();
    while (callsOf(gateway, 'saveSubscription').length < 4) await turns();
    deliver(0);
    expect((await next())?.event.version).toBe(0);
    await client.close();
  });

  test('a subscription that was removed meanwhile ends with the error', async () => {
    const { gateway, client, next } = await joinedTo();
    failing(gateway, 'saveSubscription', [
      new GaterError('unauthorized', 'no', { details: { reason: 'revoked' } }),
    ]);
    gateway.cut();
    await expect(next()).rejects.toMatchObject({ code: 'unauthorized' });
    await client.close();
  });

  test('the gateway ends a subscription: for good with an error, and otherwise it is joined again', async () => {
    const { gateway, client, deliver, next } = await joinedTo();
    const tell = (code: string): void => {
      for (const { peer } of gateway.connections) {
        peer.notify('subscriptionEnded', { ...subscription, code, message: 'it ended' });
      }
    };
    tell('unavailable');
    while (callsOf(gateway, 'saveSubscription').length < 2) await turns();
    deliver(4);
    expect((await next())?.event.version).toBe(4);
    tell('subscription_not_found');
    await expect(next()).rejects.toMatchObject({ code: 'subscription_not_found', message: 'it ended' });
    // It can be joined again.
    await client.saveSubscription(params);
    await client.close();
  });

  test('after a retry the later events of the stream that are buffered are left out, as they come again', async () => {
    const { client, deliver, next } = await joinedTo();
    for (const version of [0, 1, 2]) deliver(version);
    deliver(0, 1, 'b');
    const first = await next();
    await first?.nack();
    for (const version of [0, 1, 2]) deliver(version, 2);
    const seen: unknown[] = [];
    for (let count = 0; count < 4; count++) {
      const delivered = await next();
      seen.push([delivered?.event.streamId, delivered?.event.version, delivered?.attempt]);
    }
    expect(seen).toEqual([
      ['b', 0, 1],
      ['a', 0, 2],
      ['a', 1, 2],
      ['a', 2, 2],
    ]);
    await client.close();
  });

  test('an answer to an event of an earlier connection waits until the subscription is joined, and does not fail', async () => {
    const { gateway, client, deliver, next } = await joinedTo();
    for (const version of [0, 1]) deliver(version);
    const first = await next();
    const second = await next();
    const unknown = (reason: string) => new GaterError('invalid_argument', 'no', { details: { reason } });
    failing(gateway, 'ackEvent', [unknown('not_delivered')], { checkpoint: 9 });
    gateway.cut();
    await turns();
    expect(await first?.ack()).toEqual({ checkpoint: 0 });
    expect(gateway.calls.map(({ method }) => method)).toEqual([
      'saveSubscription',
      'saveSubscription',
      'ackEvent',
    ]);
    failing(gateway, 'ackEvent', [unknown('not_delivered')]);
    deliver(5);
    await expect((await next())?.ack()).rejects.toMatchObject({ reason: 'not_delivered' });
    failing(gateway, 'ackEvent', [], { checkpoint: 7 });
    expect(await second?.ack({ upTo: true })).toEqual({ checkpoint: 7 });
    await client.close();
  });

  test('one is read once in a client', async () => {
    const gateway = new FakeGateway();
    gateway.answers.set('saveSubscription', () => ({ subscription }));
    const client = await connectTo(gateway);
    const params = { ...subscription, type: 'stream', selector: 'a' } as const;
    await client.saveSubscription(params);
    await expect(client.saveSubscription(params)).rejects.toMatchObject({ reason: 'joined' });
    await client.close();
  });
});
