import { type Arbitrary, countReach, fc } from '@esdb-gater/property-testing';
import { topicMatches } from '@esdb-gater/protocol';
import type { ChannelMessage, JsonValue } from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import { connect, type MessageSubscription, type RemoteGater } from '../src/index.ts';
import { FakeGateway, turns } from './fake-gateway.ts';

/** Reads in the background. */
class Reader {
  readonly ids: string[] = [];
  readonly topic: string;
  readonly start: number;
  error: unknown;
  readonly done: Promise<void>;

  constructor(subscription: MessageSubscription) {
    this.topic = subscription.topic;
    this.start = Number(subscription.position.slice(1));
    this.done = this.#read(subscription);
  }

  async #read(subscription: MessageSubscription): Promise<void> {
    try {
      for await (const { id } of subscription) this.ids.push(id);
    } catch (error) {
      this.error = error;
    }
  }

  expected(log: readonly ChannelMessage[]): string[] {
    return log.slice(this.start).flatMap(({ topic, id }) => (topicMatches(this.topic, topic) ? [id] : []));
  }
}

function connectTo(gateway: FakeGateway): Promise<RemoteGater> {
  return connect('ws://gateway', { retry: { baseDelayMs: 0 } }, { openSocket: gateway.openSocket });
}

async function until(holds: () => boolean, most = 2_000): Promise<void> {
  for (let turn = 0; turn < most && !holds(); turn++) {
    await turns();
    // Timers of no delay need the clock to move on.
    if (turn % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const topic = fc.constantFrom('a.x', 'b.x', 'b.y.z');
const pattern = fc.constantFrom('a.x', '*.x', '>', 'b.>');

type Step =
  | { readonly do: 'publish'; readonly topic: string }
  | { readonly do: 'subscribe'; readonly topic: string; readonly from: 'latest' | 'earliest' }
  | { readonly do: 'cut' }
  | { readonly do: 'wait'; readonly turns: number };

const step: Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('publish' as const), topic }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('subscribe' as const),
      topic: pattern,
      from: fc.constantFrom('latest' as const, 'earliest' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cut' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('wait' as const), turns: fc.integer({ min: 1, max: 5 }) }),
  },
);

describe('resuming', () => {
  test('nothing is lost and nothing doubled, wherever the connection breaks and however subscriptions overlap', async () => {
    const reach = countReach({ cuts: 150, received: 1_500, readers: 8 });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const gateway = new FakeGateway();
        gateway.replayStep = 1;
        const client = await connectTo(gateway);
        const readers: Promise<Reader>[] = [];
        for (const one of steps) {
          if (one.do === 'publish') gateway.publish('events', one.topic);
          else if (one.do === 'cut') {
            if (readers.length > 0) reach.count('cuts');
            gateway.cut();
          } else if (one.do === 'wait') await turns(one.turns);
          else {
            const { topic: wanted, from } = one;
            const params = { channel: 'events', topic: wanted, from } as const;
            readers.push(client.subscribe(params).then((subscription) => new Reader(subscription)));
          }
        }
        const all = await Promise.all(readers);
        const log = gateway.log.get('events') ?? [];
        await until(() => all.every((reader) => reader.ids.length >= reader.expected(log).length));
        await turns(5);
        for (const reader of all) {
          expect(reader.ids).toEqual(reader.expected(log));
          reach.count('received', reader.ids.length);
        }
        reach.largest('readers', all.length);
        await client.close();
        await Promise.all(all.map((reader) => reader.done));
        expect(all.map((reader) => reader.error)).toEqual(all.map(() => undefined));
      }),
      { numRuns: 150 },
    );
    reach.check();
  });

  test('a slow reader with a small buffer misses nothing, and its buffer stays small', async () => {
    const gateway = new FakeGateway();
    const client = await connectTo(gateway);
    const subscription = await client.subscribe({ channel: 'events', topic: '>' }, { bufferMessages: 4 });
    const ids: string[] = [];
    let most = 0;
    for (let count = 0; count < 100; count++) {
      gateway.publish('events', 'a.b');
      if (count % 3 === 0) await turns();
      if (count === 50) gateway.cut();
      most = Math.max(most, subscription.waiting);
    }
    const log = gateway.log.get('events') ?? [];
    for await (const { id } of subscription) {
      ids.push(id);
      most = Math.max(most, subscription.waiting);
      if (ids.length === log.length) break;
      if (ids.length % 7 === 0) await turns(2);
    }
    expect(ids).toEqual(log.map(({ id }) => id));
    expect(most).toBeLessThanOrEqual(4);
    await client.close();
  });

  test('with whenLost: end a lost position ends the iteration with position_lost, after the buffered messages', async () => {
    const gateway = new FakeGateway();
    const client = await connectTo(gateway);
    const subscription = await client.subscribe({ channel: 'events', topic: '>' }, { whenLost: 'end' });
    gateway.publish('events', 'a');
    await turns(3);
    gateway.cut();
    gateway.publish('events', 'b');
    gateway.publish('events', 'c');
    gateway.historyFrom = 3;
    const reader = new Reader(subscription);
    await reader.done;
    expect(reader.ids).toEqual(['m0']);
    expect(reader.error).toMatchObject({ code: 'invalid_argument', reason: 'position_lost', oldest: 'p3' });
    await client.close();
  });

  test('a lost position is told by onLost, and the subscription continues from the oldest message [R28]', async () => {
    const gateway = new FakeGateway();
    const client = await connectTo(gateway);
    const notices: unknown[] = [];
    const subscription = await client.subscribe(
      { channel: 'audit', topic: '>' },
      { onLost: (notice) => notices.push(notice) },
    );
    gateway.publish('audit', 'a');
    await turns(3);
    gateway.cut();
    for (const topic of ['b', 'c', 'd']) gateway.publish('audit', topic);
    gateway.historyFrom = 3;
    await until(() => subscription.lost);
    // The message from before is still buffered: what is handed back resumes after it, not after the gap.
    expect(subscription.position).toBe('p0');
    const reader = new Reader(subscription);
    gateway.publish('audit', 'e');
    await until(() => reader.ids.length === 3);
    expect([reader.ids, reader.error]).toEqual([['m0', 'm3', 'm4'], undefined]);
    expect(notices).toEqual([{ kind: 'history', position: 'p3' }]);
    // The position is known again: the next break loses nothing.
    gateway.cut();
    gateway.publish('audit', 'f');
    await until(() => reader.ids.length === 4);
    expect([reader.ids.at(-1), notices.length]).toEqual(['m5', 1]);
    await client.close();
  });

  test('bufferBytes bounds what waits for a slow reader, however few messages that is [R21] [T34]', async () => {
    const gateway = new FakeGateway();
    const client = await connectTo(gateway);
    const options = { bufferBytes: 100_000 };
    const subscription = await client.subscribe({ channel: 'events', topic: '>' }, options);
    const big = (size: number): JsonValue => Array.from({ length: size / 3 }, () => []);
    let most = 0;
    const sizes = [30, 30_000, 3_000, 60_000, 300_000, 30, 30_000, 90_000, 30, 30];
    for (const size of sizes) {
      gateway.publish('events', 'a.b', big(size));
      await turns(3);
      most = Math.max(most, subscription.waiting);
    }
    expect(most).toBe(4);
    const log = gateway.log.get('events') ?? [];
    const messages: ChannelMessage[] = [];
    for await (const message of subscription) {
      messages.push(message);
      if (messages.length === log.length) break;
    }
    expect(messages).toEqual(log);
    await client.close();
  });

  test.each([
    [{ bufferBytes: 0 }, 'bufferBytes'],
    [{ bufferMessages: Number.NaN }, 'bufferMessages'],
    [{ whenLost: 'never' as 'end' }, 'whenLost'],
  ])('%j is refused as an option of subscribe', async (options, member) => {
    const gateway = new FakeGateway();
    const client = await connectTo(gateway);
    await expect(client.subscribe({ channel: 'events', topic: 'a' }, options)).rejects.toMatchObject({
      code: 'invalid_argument',
      reason: 'subscribe_options',
      member,
    });
    expect(gateway.calls).toEqual([]);
    await client.close();
  });

  test('a subscription that matched nothing for long still resumes, from what came live for others', async () => {
    const gateway = new FakeGateway();
    const client = await connectTo(gateway);
    await client.subscribe({ channel: 'events', topic: 'busy' });
    const quiet = new Reader(await client.subscribe({ channel: 'events', topic: 'quiet' }));
    for (let count = 0; count < 10; count++) gateway.publish('events', 'busy');
    await turns(3);
    gateway.historyFrom = 10;
    gateway.cut();
    gateway.publish('events', 'quiet');
    await until(() => quiet.ids.length === 1 || quiet.error !== undefined);
    expect([quiet.ids, quiet.error]).toEqual([['m10'], undefined]);
    await client.close();
  });

  test('positions that are read are those of the messages that were read', async () => {
    const gateway = new FakeGateway();
    const client = await connectTo(gateway);
    const subscription = await client.subscribe({ channel: 'events', topic: 'a' });
    expect(subscription.position).toBe('p0');
    for (let count = 0; count < 3; count++) gateway.publish('events', 'a');
    await turns(3);
    expect([subscription.waiting, subscription.position]).toEqual([3, 'p0']);
    const positions: string[] = [];
    for await (const { position } of subscription) {
      expect(subscription.position).toBe(position);
      if (positions.push(position) === 3) break;
    }
    expect(positions).toEqual(['p1', 'p2', 'p3']);
    await client.close();
  });
});

describe('subscriptions of one client', () => {
  test('two of the same topic each get every message, and the second connection ends with its subscription', async () => {
    const gateway = new FakeGateway();
    const client = await connectTo(gateway);
    gateway.publish('events', 'a');
    const one = new Reader(await client.subscribe({ channel: 'events', topic: 'a' }));
    const second = await client.subscribe({ channel: 'events', topic: 'a', from: 'earliest' });
    const two = new Reader(second);
    gateway.publish('events', 'a');
    await until(() => two.ids.length === 2 && one.ids.length === 1);
    expect([one.ids, two.ids, gateway.connections.size]).toEqual([['m1'], ['m0', 'm1'], 2]);
    expect(await second.unsubscribe()).toEqual({ removed: true });
    expect(await second.unsubscribe()).toEqual({ removed: false });
    await until(() => gateway.connections.size === 1);
    expect(gateway.connections.size).toBe(1);
    await client.close();
  });

  test('leaving a loop leaves the subscription, and the next loop goes on', async () => {
    const gateway = new FakeGateway();
    const client = await connectTo(gateway);
    const subscription = await client.subscribe({ channel: 'events', topic: 'a' });
    for (let count = 0; count < 3; count++) gateway.publish('events', 'a');
    const ids: string[] = [];
    for (let loop = 0; loop < 3; loop++) {
      for await (const { id } of subscription) {
        ids.push(id);
        break;
      }
    }
    expect(ids).toEqual(['m0', 'm1', 'm2']);
    await client.close();
  });

  test('unsubscribe of the client ends the iteration and tells whether there was one', async () => {
    const gateway = new FakeGateway();
    const client = await connectTo(gateway);
    const reader = new Reader(await client.subscribe({ channel: 'events', topic: 'a' }));
    const params = { channel: 'events', topic: 'a' } as const;
    expect([await client.unsubscribe(params), await client.unsubscribe(params)]).toEqual([
      { removed: true },
      { removed: false },
    ]);
    await reader.done;
    await client.close();
  });

  test('a signal ends the iteration, and await using ends the subscription', async () => {
    const gateway = new FakeGateway();
    const client = await connectTo(gateway);
    const abort = new AbortController();
    const reader = new Reader(
      await client.subscribe({ channel: 'events', topic: 'a' }, { signal: abort.signal }),
    );
    abort.abort();
    await reader.done;
    {
      await using subscription = await client.subscribe({ channel: 'events', topic: 'b' });
      expect(subscription.topic).toBe('b');
    }
    const kept = [...gateway.connections].flatMap(({ subscriptions }) => [...subscriptions.keys()]);
    expect(kept).toEqual([]);
    await client.close();
  });

  test('a refused subscription is an error of subscribe and leaves nothing behind', async () => {
    const gateway = new FakeGateway();
    gateway.historyFrom = 5;
    const client = await connectTo(gateway);
    const params = { channel: 'events', topic: 'a', from: { position: 'p1' } } as const;
    await expect(client.subscribe(params)).rejects.toMatchObject({ reason: 'position_lost' });
    expect(await client.unsubscribe({ channel: 'events', topic: 'a' })).toEqual({ removed: false });
    await client.close();
  });

  test('what the gateway dropped is told, and the subscription knows that it lost something', async () => {
    const gateway = new FakeGateway();
    const client = await connectTo(gateway);
    const notices: unknown[] = [];
    const subscription = await client.subscribe(
      { channel: 'logging', topic: 'a' },
      { onLost: (notice) => notices.push(notice) },
    );
    for (const { peer } of gateway.connections) {
      peer.notify('dropped', { channel: 'logging', count: 7, position: 'p9' });
    }
    await turns(3);
    expect([notices, subscription.lost]).toEqual([[{ kind: 'dropped', count: 7, position: 'p9' }], true]);
    await client.close();
  });

  test('a last value of health that came live is not replayed once more', async () => {
    const gateway = new FakeGateway();
    const value = { channel: 'health', topic: 'a', id: 'v1', time: '', position: 'p1', message: 1 };
    gateway.answers.set('subscribe', () => ({ position: 'p0' }));
    const client = await connectTo(gateway);
    const reader = new Reader(await client.subscribe({ channel: 'health', topic: '*' }));
    for (const { peer } of gateway.connections) {
      peer.notify('message', value);
      peer.notify('message', { ...value, replayFor: '*' });
      peer.notify('message', { ...value, id: 'v2', topic: 'b', replayFor: '*' });
      peer.notify('replayed', { channel: 'health', topic: '*', position: 'p2' });
    }
    await turns(3);
    expect(reader.ids).toEqual(['v1', 'v2']);
    await client.close();
  });
});
