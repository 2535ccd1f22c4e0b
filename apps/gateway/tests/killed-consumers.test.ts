import { expect, test } from 'vitest';
import { startTestGateway } from './support/in-process.ts';
import { OrderChecker } from './support/order-checker.ts';
import { type RawClient, rawConnect } from './support/raw-client.ts';

const FULL = process.env['ESDB_GATER_FAULTS'] === '1';
const STREAMS = FULL ? 1_000 : 100;
const PER_STREAM = FULL ? 100 : 20;
const KILLS = FULL ? 100 : 8;
const CONSUMERS = 3;

const subscription = {
  storeId: 'default',
  name: 'all',
  type: 'stream',
  selector: '$all',
  maxInFlight: 200,
  maxRetries: 1_000,
} as const;

interface Delivery {
  readonly attempt: number;
  readonly event: { readonly streamId: string; readonly version: number };
}

/** Acknowledges events in order, and refuses some the first time. */
class Consumer {
  readonly #client: RawClient;
  readonly #checker: OrderChecker;
  readonly #refusesSome: boolean;
  #next = 0;
  isDead = false;

  constructor(client: RawClient, checker: OrderChecker, refusesSome: boolean) {
    this.#client = client;
    this.#checker = checker;
    this.#refusesSome = refusesSome;
    client.socket.on('message', () => this.#take());
    this.#take();
  }

  kill(): void {
    this.isDead = true;
    this.#client.socket.terminate();
  }

  #take(): void {
    const { notices } = this.#client;
    for (; this.#next < notices.length && !this.isDead; this.#next++) {
      const notice = notices[this.#next];
      if (notice?.method === 'event') void this.#handle(notice.params as unknown as Delivery);
    }
  }

  async #handle({ attempt, event: { streamId, version } }: Delivery): Promise<void> {
    const { storeId, name } = subscription;
    this.#checker.delivered(streamId, version);
    const at = { storeId, name, streamId, eventNumber: version };
    if (this.#refusesSome && attempt === 1 && (version * 7 + streamId.length) % 13 === 0) {
      this.#checker.refused(streamId, version);
      await this.#client.call('nackEvent', { ...at, action: 'retry' }).catch(() => undefined);
      return;
    }
    // The answer may be lost with the connection: whether the gateway has it, the checkpoint says in the end.
    this.#checker.acknowledged(streamId, version);
    await this.#client.call('ackEvent', at).catch(() => undefined);
  }
}

test(`${STREAMS * PER_STREAM} events in ${STREAMS} streams, ${CONSUMERS} consumers killed at random: all acknowledged, each stream in order`, {
  timeout: FULL ? 280_000 : 60_000,
}, async () => {
  await using gateway = await startTestGateway({ stores: '{"default":{"engine":"sqlite"}}' });
  const checker = new OrderChecker();
  const join = async (): Promise<Consumer> => {
    const client = await rawConnect(gateway.url);
    await client.call('saveSubscription', subscription);
    return new Consumer(client, checker, false);
  };
  const consumers = await Promise.all(Array.from({ length: CONSUMERS }, join));
  const writer = await rawConnect(gateway.url);
  const write = async (): Promise<void> => {
    for (let round = 0; round < PER_STREAM; round += 5) {
      const events = Array.from({ length: 5 }, (_, n) => ({ type: 'counted', data: round + n }));
      for (let first = 0; first < STREAMS; first += 100) {
        const appends = Array.from({ length: 100 }, (_, n) =>
          writer.call('appendEvents', { storeId: 'default', streamId: `stream-${first + n}`, events }),
        );
        await Promise.all(appends);
      }
    }
  };
  const total = STREAMS * PER_STREAM;
  const kill = async (): Promise<void> => {
    for (let kills = 0; kills < KILLS; kills++) {
      const target = Math.floor((total * (kills + 0.5)) / (KILLS + 1));
      await expect.poll(() => checker.count >= target, { timeout: 60_000, interval: 5 }).toBe(true);
      const index = Math.floor(Math.random() * CONSUMERS);
      consumers[index]?.kill();
      consumers[index] = await join();
    }
  };
  await Promise.all([write(), kill()]);
  const listed = async () => (await writer.call('getSubscriptions', { storeId: 'default' })).result;
  await expect.poll(listed, { timeout: 60_000, interval: 20 }).toMatchObject({
    subscriptions: [{ checkpoint: total, lag: 0, parked: 0, subscribers: CONSUMERS }],
  });
  checker.isComplete(STREAMS, PER_STREAM);
  for (const consumer of consumers) consumer.kill();
  await writer.close();
});

test('events that are refused come again before the later ones of their stream, at three consumers', async () => {
  await using gateway = await startTestGateway({ stores: '{"default":{"engine":"memory"}}' });
  const checker = new OrderChecker();
  const consumers: Consumer[] = [];
  for (let n = 0; n < CONSUMERS; n++) {
    const client = await rawConnect(gateway.url);
    // One at a time: what was sent before the refusal arrived would come out of turn.
    await client.call('saveSubscription', { ...subscription, maxInFlight: 1 });
    consumers.push(new Consumer(client, checker, true));
  }
  const writer = await rawConnect(gateway.url);
  for (let round = 0; round < 20; round++) {
    for (let n = 0; n < 20; n++) {
      await writer.call('appendEvents', {
        storeId: 'default',
        streamId: `stream-${n}`,
        events: [{ type: 'counted', data: round }],
      });
    }
  }
  await expect.poll(() => checker.count, { timeout: 20_000, interval: 20 }).toBe(400);
  checker.isComplete(20, 20);
  expect(checker.redelivered).toBeGreaterThan(0);
  for (const consumer of consumers) consumer.kill();
  await writer.close();
});
