import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { check } from '../../../../packages/broker-kafka/tests/support/load.ts';
import { readOutside } from '../../../../packages/broker-kafka/tests/support/outside.ts';
import { freePorts, kafkaUnavailable, type RunningKafka, startKafka } from '../../../../tools/kafka/index.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import type { RawClient } from '../support/raw-client.ts';
import { Gateways, messagesOf, metric, readiness, subscribe } from './support/gateways.ts';

const external = (process.env['KAFKA_BROKERS'] ?? '') !== '';
const reason = external ? 'the brokers of KAFKA_BROKERS are not ours to kill' : kafkaUnavailable();
const OUTAGES = process.env['ESDB_GATER_FAULTS'] === '1' ? 20 : 1;
const PUBLISH_TIMEOUT_MS = 2_000;
/** For a machine that does other things, too. */
const SLACK_MS = 1_500;
const MIB = 1_048_576;
const WAIT = { timeout: 60_000, interval: 50 };
const STORES = { default: { engine: 'sqlite' } };
const FLAGS = ['--kafka-publish-timeout-ms', String(PUBLISH_TIMEOUT_MS)];

describe.skipIf(reason !== undefined)(
  `gateways and a broker that comes and goes${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let kafka: RunningKafka | undefined;
    let port = 0;
    let gateway: GatewayProcess;
    const gateways = new Gateways(() => `127.0.0.1:${port}`);

    beforeAll(async () => {
      [port = 0] = await freePorts(1);
      gateway = await gateways.start('a', STORES, FLAGS);
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

    test('F7: a gateway starts before Kafka, says why it is not ready, serves its stores, and joins later', async () => {
      const before = await readiness(gateway);
      expect(before.status).toBe(503);
      expect(before.dependencies).toMatchObject({
        'store:default': 'ok',
        broker: expect.stringContaining(`127.0.0.1:${port}`) as string,
        revocations: 'not read to their end yet',
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
      expect(performance.now() - began).toBeLessThan(PUBLISH_TIMEOUT_MS + SLACK_MS);

      kafka = await startKafka({ port });
      await vi.waitFor(async () => expect((await readiness(gateway)).status).toBe(200), WAIT);
      const published = await client.call('publish', { channel: 'system', topic: 'now', message: 2 });
      expect(published.error).toBeUndefined();
      // What was committed meanwhile is fed, and can be read from the beginning.
      await subscribe(client, 'events', 'default.outage.*', 'earliest');
      await client.until(() => messagesOf(client).some(({ topic }) => topic === 'default.outage.counted'));
    }, 180_000);

    test(
      'F8: Kafka is killed under load again and again: bounded waits, nothing acknowledged lost, sockets stay',
      async () => {
        const [publisher, subscriber] = await Promise.all([
          gateways.connect(gateway),
          gateways.connect(gateway),
        ]);
        await subscribe(subscriber, 'system', 'load.*');
        await subscribe(subscriber, 'events', 'default.outage.*');
        const load = startLoad(publisher);
        let appended = 0;
        let mostBytes = 0;
        for (let outage = 0; outage < OUTAGES; outage++) {
          const before = load.acknowledged.length;
          while (load.acknowledged.length < before + 100) await sleep(20);
          await kafka?.brokers[0]?.kill9();
          for (let n = 0; n < 5; n++) {
            expect((await append(publisher, appended)).error).toBeUndefined();
            appended += 1;
            await sleep(outage % 2 === 0 ? 600 : 50);
          }
          if (outage % 2 === 0) expect((await readiness(gateway)).status).toBe(503);
          mostBytes = Math.max(mostBytes, await metric(gateway, 'process_resident_memory_bytes'));
          await kafka?.brokers[0]?.restart();
          await vi.waitFor(async () => expect((await readiness(gateway)).status).toBe(200), WAIT);
        }
        const settled = load.acknowledged.length;
        while (load.acknowledged.length < settled + 100) await sleep(20);
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

        const outside = (await readOutside(kafka?.bootstrap ?? '', `${gateways.topicPrefix}system`)).map(
          ({ key, headers }) => ({ id: headers['ce_id'] ?? '', topic: key ?? '' }),
        );
        const inKafka = check(acknowledged, outside);
        expect({ lost: inKafka.lost, reordered: inKafka.reordered }).toEqual({ lost: [], reordered: [] });
        expect(refused.length).toBeGreaterThan(0);
        expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['unavailable']));
        expect(load.longestMs).toBeLessThan(PUBLISH_TIMEOUT_MS + SLACK_MS);
        expect(mostBytes / MIB).toBeLessThan(400);
        process.stdout.write(
          `${OUTAGES} outages: ${acknowledged.length} acknowledged, ${refused.length} unavailable after at most ${Math.round(load.longestMs)} ms, 0 lost, 0 reordered, ${inKafka.doubled} twice in Kafka, resident ${Math.round(mostBytes / MIB)} MiB\n`,
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

interface Load {
  readonly acknowledged: { readonly id: string; readonly topic: string }[];
  readonly refused: { readonly id: string; readonly code: string }[];
  /** The longest that a publish waited for its answer. */
  readonly longestMs: number;
  stop(): Promise<void>;
}

/** Publishes numbered messages, 100 a second over five topics. */
function startLoad(client: RawClient): Load {
  const acknowledged: Load['acknowledged'] = [];
  const refused: Load['refused'] = [];
  const pending = new Set<Promise<void>>();
  let longestMs = 0;
  let number = 0;
  const timer = setInterval(() => {
    const id = `n${String(number).padStart(7, '0')}`;
    const topic = `load.${number % 5}`;
    number += 1;
    const began = performance.now();
    const sent = client.call('publish', { channel: 'system', topic, message: number, id }).then((answer) => {
      longestMs = Math.max(longestMs, performance.now() - began);
      if (answer.error === undefined) acknowledged.push({ id, topic });
      else refused.push({ id, code: answer.error.data.code });
    });
    pending.add(sent);
    void sent.finally(() => pending.delete(sent));
  }, 10);
  return {
    acknowledged,
    refused,
    get longestMs() {
      return longestMs;
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(pending);
    },
  };
}
