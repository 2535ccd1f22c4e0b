import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { check } from '../../../../packages/broker-kafka/tests/support/load.ts';
import { messagesOutside } from '../../../../packages/broker-kafka/tests/support/outside.ts';
import { freePorts, kafkaUnavailable, type RunningKafka, startKafka } from '../../../../tools/kafka/index.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import type { RawClient } from '../support/raw-client.ts';
import { Gateways, messagesOf, metric, readiness, subscribe } from './support/gateways.ts';
import { startLoad } from './support/load.ts';

const external = (process.env['KAFKA_BROKERS'] ?? '') !== '';
const reason = external ? 'the brokers of KAFKA_BROKERS are not ours to kill' : kafkaUnavailable();
const OUTAGES = process.env['ESDB_GATER_FAULTS'] === '1' ? 20 : 1;
const PUBLISH_TIMEOUT_MS = 2_000;
/** Long enough for a busy machine. */
const SLACK_MS = 1_500;
const MIB = 1_048_576;
const WAIT = { timeout: 60_000, interval: 50 };
const STORES = { default: { engine: 'sqlite' } };
const FLAGS = ['--kafka-publish-timeout-ms', String(PUBLISH_TIMEOUT_MS)];

describe.skipIf(reason !== undefined).each([
  { driver: 'kafkajs', other: 'platformatic' },
  { driver: 'platformatic', other: 'kafkajs' },
])(
  `gateways and a broker that comes and goes, by $driver${reason === undefined ? '' : ` (${reason})`}`,
  ({ driver, other }) => {
    let kafka: RunningKafka | undefined;
    let port = 0;
    /** Where is published, and another one where is subscribed. */
    let gateway: GatewayProcess;
    let neighbour: GatewayProcess;
    const gateways = new Gateways(() => `127.0.0.1:${port}`);

    beforeAll(async () => {
      [port = 0] = await freePorts(1);
      [gateway, neighbour] = await Promise.all([
        gateways.start('a', STORES, [...FLAGS, '--kafka-driver', driver]),
        gateways.start('b', {}, [...FLAGS, '--kafka-driver', other]),
      ]);
    }, 180_000);
    afterEach(() => gateways.disconnect());
    afterAll(async () => {
      await gateways.close();
      await kafka?.stop();
    });

    const append = (client: RawClient, n: number) =>
      client.call('appendEvents', {
        storeId: 'default',
        streamId: 'outage',
        events: [{ type: 'counted', data: { n } }],
      });

    test('F7: a gateway starts before Kafka, reports why it is not ready, serves its stores, and joins later', async () => {
      const before = await readiness(gateway);
      expect(before.status).toBe(503);
      expect(before.dependencies).toMatchObject({
        'store:default': 'ok',
        broker: expect.stringContaining(`127.0.0.1:${port}`) as string,
        revocations: 'not completely read yet',
      });
      const client = await gateways.connect(gateway);
      expect((await client.call('health')).result).toMatchObject({
        reasons: [{ component: 'broker', code: 'unavailable' }],
        stores: { default: { status: 'healthy' } },
      });
      expect((await append(client, 0)).error).toBeUndefined();
      const began = performance.now();
      const refused = await client.call('publish', { channel: 'system', topic: 'too.early', message: 1 });
      expect(refused.error?.data).toMatchObject({ code: 'unavailable', retriable: true });
      // The promise itself is a time, here and below.
      expect(performance.now() - began).toBeLessThan(PUBLISH_TIMEOUT_MS + SLACK_MS);

      kafka = await startKafka({ port });
      for (const node of [gateway, neighbour]) {
        await vi.waitFor(async () => expect((await readiness(node)).status).toBe(200), WAIT);
      }
      const published = await client.call('publish', { channel: 'system', topic: 'now', message: 2 });
      expect(published.error).toBeUndefined();
      // Events committed meanwhile are published, and can be read from the beginning.
      await subscribe(client, 'events', 'default.outage.*', 'earliest');
      await client.until(() => messagesOf(client).some(({ topic }) => topic === 'default.outage.counted'));
    }, 180_000);

    test(
      'F8: Kafka is killed repeatedly under load: waits are bounded, acknowledged messages are kept, and connections stay open',
      async () => {
        const [publisher, subscriber] = await Promise.all([
          gateways.connect(gateway),
          gateways.connect(neighbour),
        ]);
        await subscribe(subscriber, 'system', 'load.*');
        await subscribe(subscriber, 'events', 'default.outage.*');
        const load = startLoad(publisher);
        let appended = 0;
        let mostBytes = 0;
        for (let outage = 0; outage < OUTAGES; outage++) {
          await load.more(100);
          await kafka?.brokers[0]?.kill9();
          for (let n = 0; n < 5; n++) {
            expect((await append(publisher, appended)).error).toBeUndefined();
            appended += 1;
            await sleep(outage % 2 === 0 ? 600 : 50);
          }
          if (outage % 2 === 0) expect((await readiness(gateway)).status).toBe(503);
          for (const node of [gateway, neighbour]) {
            mostBytes = Math.max(mostBytes, await metric(node, 'process_resident_memory_bytes'));
          }
          await kafka?.brokers[0]?.restart();
          for (const node of [gateway, neighbour]) {
            await vi.waitFor(async () => expect((await readiness(node)).status).toBe(200), WAIT);
          }
        }
        await load.more(100);
        await load.stop();
        const { acknowledged, refused } = load;

        const ids = () => new Set(messagesOf(subscriber).map(({ id }) => id));
        await subscriber.until(() => {
          const seen = ids();
          return acknowledged.every(({ id }) => seen.has(id));
        });
        const live = messagesOf(subscriber).filter(({ channel }) => channel === 'system');
        expect(check(acknowledged, live)).toEqual({ lost: [], reordered: [], doubled: 0 });
        await subscriber.until(() => fedVersions(subscriber).length >= appended);
        const first = fedVersions(subscriber)[0] ?? 0;
        expect(fedVersions(subscriber)).toEqual(Array.from({ length: appended }, (_, n) => first + n));

        const outside = await messagesOutside(kafka?.bootstrap ?? '', `${gateways.topicPrefix}system`);
        const inKafka = check(acknowledged, outside);
        expect({ lost: inKafka.lost, reordered: inKafka.reordered }).toEqual({ lost: [], reordered: [] });
        expect(refused.length).toBeGreaterThan(0);
        expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['unavailable']));
        expect(load.longestMs).toBeLessThan(PUBLISH_TIMEOUT_MS + SLACK_MS);
        expect(mostBytes / MIB).toBeLessThan(400);
        process.stdout.write(
          `gateways, ${driver}: ${OUTAGES} outages, ${acknowledged.length} acknowledged, ${refused.length} unavailable after at most ${Math.round(load.longestMs)} ms, 0 lost, 0 reordered, ${inKafka.doubled} twice in Kafka, resident ${Math.round(mostBytes / MIB)} MiB\n`,
        );
      },
      60_000 + OUTAGES * 40_000,
    );

    test('F18: a gateway is stopped while Kafka is away, within its grace and with its stores in order', async () => {
      await kafka?.brokers[0]?.kill9();
      const client = await gateways.connect(gateway);
      const publishing = client.call('publish', { channel: 'system', topic: 'a', message: 1 });
      expect((await append(client, 0)).error).toBeUndefined();
      const began = performance.now();
      const code = await gateway.stop();
      expect(performance.now() - began).toBeLessThan(12_000);
      expect(code).toBe(0);
      expect((await publishing).error?.data.code).toBe('unavailable');
      expect(gateway.log.filter((line) => line.includes('grace period ended'))).toEqual([]);
    }, 60_000);
  },
);

/** The versions of the stream of these tests that came as fed events. */
function fedVersions(client: RawClient): number[] {
  return messagesOf(client)
    .filter(({ channel }) => channel === 'events')
    .map(({ message }) => (message as { readonly version: number }).version);
}
