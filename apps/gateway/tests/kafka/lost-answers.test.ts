import { connect } from '@esdb-gater/client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { check } from '../../../../packages/broker-kafka/tests/support/load.ts';
import { messagesOutside } from '../../../../packages/broker-kafka/tests/support/outside.ts';
import { freePorts, kafkaUnavailable, type RunningKafka, startKafka } from '../../../../tools/kafka/index.ts';
import { type CuttingProxy, startCuttingProxy } from '../support/cutting-proxy.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import type { RawClient } from '../support/raw-client.ts';
import { Gateways, messagesOf, metric, subscribe } from './support/gateways.ts';

const external = (process.env['KAFKA_BROKERS'] ?? '') !== '';
const reason = external ? 'the brokers of KAFKA_BROKERS are not behind our proxy' : kafkaUnavailable();
const MESSAGES = process.env['ESDB_GATER_FAULTS'] === '1' ? 2_000 : 150;
const PRODUCE = 0;

describe.skipIf(reason !== undefined)(
  `F10: answers are lost after the operation succeeded${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let kafka: RunningKafka;
    let toKafka: CuttingProxy;
    let a: GatewayProcess;
    let b: GatewayProcess;
    /** Every n-th produce request to Kafka loses its answer; 0 for none. */
    let loseEvery = 0;
    let produced = 0;
    const gateways = new Gateways(() => `127.0.0.1:${toKafka.port}`);
    const cleanUps: (() => unknown)[] = [];

    beforeAll(async () => {
      const [port = 0, advertisedPort = 0] = await freePorts(2);
      toKafka = await startCuttingProxy({
        target: port,
        port: advertisedPort,
        loses: (bytes) => isProduce(bytes) && loseEvery > 0 && ++produced % loseEvery === 0,
      });
      kafka = await startKafka({ port, advertisedPort });
      [a, b] = await Promise.all([
        gateways.start('a', { default: { engine: 'sqlite' } }),
        gateways.start('b', {}, ['--kafka-driver', 'platformatic']),
      ]);
    }, 180_000);
    afterEach(async () => {
      loseEvery = 0;
      gateways.disconnect();
      for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
    });
    afterAll(async () => {
      await gateways.close();
      await kafka?.stop();
      await toKafka?.close();
    });

    /** A client's way to a gateway that loses the answers to some of its frames. */
    async function lossy(
      gateway: GatewayProcess,
      every: number,
    ): Promise<{ url: string; proxy: CuttingProxy }> {
      let frames = 0;
      const proxy = await startCuttingProxy({
        target: Number(new URL(gateway.http).port),
        loses: (bytes) => !bytes.subarray(0, 4).equals(Buffer.from('GET ')) && ++frames % every === 0,
      });
      cleanUps.push(() => proxy.close());
      return { url: `ws://127.0.0.1:${proxy.port}/v1/ws`, proxy };
    }

    async function outsideOf(channel: string, topic: RegExp) {
      const messages = await messagesOutside(kafka.bootstrap, `${gateways.topicPrefix}${channel}`);
      return messages.filter((message) => topic.test(message.topic));
    }

    test.each([
      ['kafkajs', () => a],
      ['platformatic', () => b],
    ])(
      'from Kafka to a gateway: a message is stored twice and delivered once, in order (%s)',
      async (driver, gatewayOf) => {
        const gateway = gatewayOf();
        const subscribers = await Promise.all([gateways.connect(a), gateways.connect(b)]);
        const prefix = `${driver}.`;
        for (const client of subscribers) await subscribe(client, 'system', `${prefix}*`);
        const publisher = await gateways.connect(gateway);
        const lostBefore = toKafka.lost;
        loseEvery = 4;
        const acknowledged = await publishNumbered(publisher, prefix, MESSAGES);
        loseEvery = 0;
        expect(acknowledged).toHaveLength(MESSAGES);
        expect(toKafka.lost - lostBefore).toBeGreaterThan(MESSAGES / 50);
        for (const client of subscribers) {
          await client.until(() => messagesOf(client).length >= MESSAGES);
          expect(check(acknowledged, messagesOf(client))).toEqual({ lost: [], reordered: [], doubled: 0 });
        }
        const inKafka = check(acknowledged, await outsideOf('system', new RegExp(`^${driver}\\.`)));
        expect(inKafka).toMatchObject({ lost: [], reordered: [] });
        expect(inKafka.doubled).toBeGreaterThan(0);
        expect(await metric(gateway, 'esdb_gater_broker_duplicates_total')).toBeGreaterThanOrEqual(
          inKafka.doubled,
        );
      },
      60_000 + MESSAGES * 60,
    );

    test(
      'from a gateway to a client: the client repeats appends and publishes without duplicates',
      async () => {
        const subscriber = await gateways.connect(b);
        await subscribe(subscriber, 'events', 'default.lossy.*');
        await subscribe(subscriber, 'system', 'lossy.*');
        const { url, proxy } = await lossy(a, 9);
        const client = await connect(url, { retry: { baseDelayMs: 1, maxDelayMs: 10, maxAttempts: 20 } });
        cleanUps.push(() => client.close());
        const ids: string[] = [];
        for (let n = 0; n < MESSAGES; n++) {
          const appended = await client.appendEvents({
            storeId: 'default',
            streamId: 'lossy',
            expectedVersion: n - 1,
            events: [{ type: 'counted', data: { n } }],
          });
          expect(appended.version).toBe(n);
          ids.push((await client.publish({ channel: 'system', topic: 'lossy.one', message: n })).id);
        }
        expect(proxy.lost).toBeGreaterThan(MESSAGES / 20);
        await subscriber.until(() => messagesOf(subscriber).length >= 2 * MESSAGES);
        const published = messagesOf(subscriber).filter(({ channel }) => channel === 'system');
        expect(published.map(({ id }) => id)).toEqual(ids);
        expect((await outsideOf('system', /^lossy\./)).map(({ id }) => id)).toEqual(ids);
        const fed = messagesOf(subscriber).filter(({ channel }) => channel === 'events');
        expect(fed.map(({ message }) => (message as { version: number }).version)).toEqual(
          Array.from({ length: MESSAGES }, (_, n) => n),
        );
      },
      60_000 + MESSAGES * 60,
    );

    test(
      'F11: a client continues at another gateway: messages written through both have one identity, and are delivered once',
      async () => {
        const subscribers = await Promise.all([gateways.connect(a), gateways.connect(b)]);
        for (const client of subscribers) await subscribe(client, 'system', 'both.*');
        const ways = await Promise.all([lossy(a, 3), lossy(b, 3)]);
        const client = await connect(
          ways.map(({ url }) => url),
          { retry: { baseDelayMs: 1, maxDelayMs: 10, maxAttempts: 20 } },
        );
        cleanUps.push(() => client.close());
        const ids: string[] = [];
        for (let n = 0; n < MESSAGES; n++) {
          ids.push((await client.publish({ channel: 'system', topic: 'both.one', message: n })).id);
        }
        const inKafka = (await outsideOf('system', /^both\./)).map(({ id }) => id);
        expect(inKafka.length).toBeGreaterThan(MESSAGES);
        expect([...new Set(inKafka)]).toEqual(ids);
        for (const subscriber of subscribers) {
          await subscriber.until(() => messagesOf(subscriber).length >= MESSAGES);
          expect(messagesOf(subscriber).map(({ id }) => id)).toEqual(ids);
        }
      },
      60_000 + MESSAGES * 60,
    );
  },
);

/** A request of Kafka's protocol begins with its length and the API key. */
function isProduce(bytes: Buffer): boolean {
  return bytes.length >= 6 && bytes.readInt16BE(4) === PRODUCE;
}

/** Publishes numbered messages over five topics, a few at a time, and gives those that were acknowledged. */
async function publishNumbered(client: RawClient, prefix: string, count: number) {
  const acknowledged: { readonly id: string; readonly topic: string }[] = [];
  for (let n = 0; n < count; n += 5) {
    await Promise.all(
      Array.from({ length: 5 }, async (_, i) => {
        const id = `${prefix}n${String(n + i).padStart(7, '0')}`;
        const topic = `${prefix}${i}`;
        const { error } = await client.call('publish', { channel: 'system', topic, message: n + i, id });
        if (error === undefined) acknowledged.push({ id, topic });
      }),
    );
  }
  return acknowledged;
}
