import { topicMatches } from '@esdb-gater/protocol';
import type {
  ChannelMessage,
  Channels,
  DeliverySink,
  Notice,
  Registry,
  SubscribeFrom,
  SubscribeParams,
} from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import { createGater } from '../src/in-process/index.ts';

/** Waits for some turns of the event loop. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Channels of a test: a log that is replayed in the turn after the answer, and sinks that can overflow. */
class FakeChannels {
  readonly log: ChannelMessage[] = [];
  readonly sinks = new Map<DeliverySink, Map<string, boolean>>();

  publish(params: {
    readonly channel: string;
    readonly topic: string;
  }): Promise<{ id: string; delivered: true }> {
    const { length } = this.log;
    const message = { ...params, id: `m${length}`, time: '', position: `p${length + 1}` } as ChannelMessage;
    this.log.push(message);
    for (const [sink, topics] of this.sinks) {
      const matches = [...topics].some(([topic, live]) => live && topicMatches(topic, message.topic));
      if (matches) this.#write(sink, { method: 'message', params: message });
    }
    return Promise.resolve({ id: message.id, delivered: true });
  }

  connect({ sink }: { readonly sink: DeliverySink }) {
    const topics = new Map<string, boolean>();
    this.sinks.set(sink, topics);
    return {
      subscribe: async ({ topic, from = 'latest' }: SubscribeParams) => {
        const start = this.#resolve(from);
        topics.set(topic, from === 'latest');
        if (from !== 'latest') setImmediate(() => this.#replay(sink, topics, topic, start));
        return { position: `p${start}` };
      },
      unsubscribe: ({ topic }: { readonly topic: string }) => ({ removed: topics.delete(topic) }),
      drained() {},
      close: () => this.sinks.delete(sink),
    };
  }

  channelInfo(): readonly [] {
    return [];
  }

  overflow(): void {
    for (const sink of this.sinks.keys()) {
      this.sinks.delete(sink);
      sink.overflow();
    }
  }

  #resolve(from: SubscribeFrom): number {
    if (from === 'latest') return this.log.length;
    return from !== 'earliest' && 'position' in from ? Number(from.position.slice(1)) : 0;
  }

  #replay(sink: DeliverySink, topics: Map<string, boolean>, topic: string, start: number): void {
    for (const message of this.log.slice(start)) {
      if (!topicMatches(topic, message.topic)) continue;
      this.#write(sink, { method: 'message', params: { ...message, replayFor: topic } });
    }
    topics.set(topic, true);
    const position = `p${this.log.length}`;
    this.#write(sink, { method: 'replayed', params: { channel: 'events', topic, position } });
  }

  #write(sink: DeliverySink, notice: Notice): void {
    sink.write([{ notice, priority: 'high', bytes: () => new Uint8Array() }]);
  }
}

function setUp() {
  const channels = new FakeChannels();
  const gater = createGater({
    registry: {} as Registry,
    channels: channels as unknown as Channels,
  });
  const publish = (topic: string) => gater.publish({ channel: 'events', topic, message: null });
  return { channels, gater, publish };
}

describe('subscriptions in process', () => {
  test('replay, then live, once each, for every subscription, two of the same topic too', async () => {
    const { gater, publish, channels } = setUp();
    await publish('a.x');
    const params = { channel: 'events', topic: 'a.*', from: 'earliest' } as const;
    const both = [await gater.subscribe(params), await gater.subscribe(params)];
    await turns(2);
    await publish('a.y');
    await publish('b');
    for (const subscription of both) {
      const ids: string[] = [];
      for await (const message of subscription) {
        expect(message).not.toHaveProperty('replayFor');
        if (ids.push(message.id) === 2) break;
      }
      expect(ids).toEqual(['m0', 'm1']);
    }
    expect(channels.sinks.size).toBe(2);
    await gater.close();
    expect(channels.sinks.size).toBe(0);
  });

  test('after an overflow it comes back from its position', async () => {
    const { gater, publish, channels } = setUp();
    const subscription = await gater.subscribe({ channel: 'events', topic: '>' });
    await publish('a');
    channels.overflow();
    await publish('b');
    await turns(3);
    await publish('c');
    const ids: string[] = [];
    for await (const { id } of subscription) if (ids.push(id) === 3) break;
    expect(ids).toEqual(['m0', 'm1', 'm2']);
    await gater.close();
  });

  test('a closed Gater ends its subscriptions', async () => {
    const { gater } = setUp();
    const subscription = await gater.subscribe({ channel: 'events', topic: 'a' });
    await gater.close();
    expect(await Array.fromAsync(subscription)).toEqual([]);
    await expect(gater.subscribe({ channel: 'events', topic: 'a' })).rejects.toMatchObject({
      code: 'unavailable',
    });
  });

  test('a topic that is none is refused', async () => {
    const { gater } = setUp();
    const refused = gater.subscribe({ channel: 'events', topic: 'a..b' });
    await expect(refused).rejects.toMatchObject({ code: 'invalid_argument', reason: 'topic' });
    await gater.close();
  });
});
