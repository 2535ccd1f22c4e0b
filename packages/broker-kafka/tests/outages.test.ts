import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freePorts, kafkaUnavailable, type RunningKafka, startKafka } from '../../../tools/kafka/index.ts';
import { check, Load } from './support/load.ts';
import { freshPrefix, Nodes, outgoing, Received, readAll } from './support/nodes.ts';
import { messagesOutside } from './support/outside.ts';

const external = (process.env['KAFKA_BROKERS'] ?? '') !== '';
const reason = external ? 'the brokers of KAFKA_BROKERS are not ours to kill' : kafkaUnavailable();
const outages = process.env['ESDB_GATER_FAULTS'] === '1' ? 20 : 1;
const drivers = ['kafkajs', 'platformatic'] as const;

describe.skipIf(reason !== undefined)(
  `outages of one real broker${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let kafka: RunningKafka;
    const nodes = new Nodes();
    const warnings: string[] = [];
    const note = (warning: Error): void => {
      warnings.push(warning.name);
    };

    beforeAll(async () => {
      process.on('warning', note);
      kafka = await startKafka();
    }, 120_000);
    afterEach(() => nodes.closeAll());
    afterAll(async () => {
      process.removeListener('warning', note);
      await kafka?.stop();
    });

    test.each(drivers)(
      'F8: the broker is killed repeatedly under load, and acknowledged records are neither lost nor reordered (%s)',
      async (driver) => {
        const topicPrefix = freshPrefix();
        const publishTimeoutMs = 2_000;
        const node = nodes.open({ brokers: kafka.bootstrap, driver, topicPrefix, publishTimeoutMs });
        const reader = nodes.open({ brokers: kafka.bootstrap, driver, topicPrefix });
        const received = new Received();
        reader.tail('system', received.take);
        await reader.position('system');
        const load = new Load(node);
        for (let outage = 0; outage < outages; outage++) {
          const before = load.acknowledged.length;
          while (load.acknowledged.length < before + 100) await sleep(20);
          await kafka.brokers[0]?.kill9();
          await sleep(outage % 2 === 0 ? 2_500 : 200);
          await kafka.brokers[0]?.restart();
          while (node.health().status !== 'healthy') await sleep(20);
        }
        const settled = load.acknowledged.length;
        while (load.acknowledged.length < settled + 100) await sleep(20);
        await load.stop();
        const { acknowledged, refused } = load;
        await received.until((records) =>
          new Set(records.map(({ id }) => id)).has(acknowledged.at(-1)?.id ?? ''),
        );
        await received.until((records) => check(acknowledged, records).lost.length === 0);

        const outside = await messagesOutside(kafka.bootstrap, `${topicPrefix}system`);
        const inKafka = check(acknowledged, outside);
        expect({ lost: inKafka.lost, reordered: inKafka.reordered }).toEqual({ lost: [], reordered: [] });
        expect(check(acknowledged, received.records)).toEqual({ lost: [], reordered: [], doubled: 0 });
        expect(refused.length).toBeGreaterThan(0);
        expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['unavailable']));
        // The promise itself is a time.
        for (const { tookMs } of load.sent) expect(tookMs).toBeLessThan(publishTimeoutMs * 1.5);
        expect(load.mostQueued).toBeLessThan(1_000);
        expect(warnings).not.toContain('TimeoutNegativeWarning');
        process.stdout.write(
          `${driver}: ${outages} outages, ${acknowledged.length} acknowledged, ${refused.length} unavailable, 0 lost, 0 reordered, ${inKafka.doubled} twice in Kafka\n`,
        );
      },
      outages * 30_000 + 60_000,
    );

    test.each(drivers)(
      'F8: a broker that hangs is detected, a publish waits no longer than its limit, and the tail continues (%s)',
      async (driver) => {
        const options = {
          brokers: kafka.bootstrap,
          driver,
          topicPrefix: freshPrefix(),
          publishTimeoutMs: 3_000,
        };
        const node = nodes.open(options);
        const received = new Received();
        node.tail('system', received.take);
        await node.append('system', outgoing('before'));
        kafka.brokers[0]?.pause();
        try {
          const began = performance.now();
          await expect(node.append('system', outgoing('during'))).rejects.toMatchObject({
            code: 'unavailable',
          });
          // The promise itself is a time.
          expect(performance.now() - began).toBeLessThan(5_000);
          while (node.health().status === 'healthy') await sleep(20);
        } finally {
          kafka.brokers[0]?.resume();
        }
        while (node.health().status !== 'healthy') await sleep(20);
        await node.append('system', outgoing('after'));
        await received.until((records) => records.some(({ id }) => id === 'after'));
        expect(received.ids.filter((id) => id !== 'during')).toEqual(['before', 'after']);
      },
      60_000,
    );

    test.each(drivers)(
      'F7: a node that starts before Kafka serves requests, reports why it is not ready, and joins later (%s)',
      async (driver) => {
        const [port = 0] = await freePorts(1);
        const brokers = `127.0.0.1:${port}`;
        const node = nodes.open({ brokers, driver, topicPrefix: freshPrefix(), publishTimeoutMs: 500 });
        const received = new Received();
        node.tail('system', received.take);
        await expect(node.append('system', outgoing('too early'))).rejects.toMatchObject({
          code: 'unavailable',
          message: expect.stringContaining('127.0.0.1'),
        });
        expect(node.health()).toMatchObject({
          status: 'unhealthy',
          message: expect.stringContaining(brokers),
        });
        const subscribed = await node.position('system');
        expect(node.tailPosition('system')).toBeUndefined();
        await expect(node.resolve('system', 'earliest')).rejects.toMatchObject({ code: 'unavailable' });

        const late = await startKafka({ port });
        try {
          while (node.health().status !== 'healthy') await sleep(20);
          await node.append('system', outgoing('late'));
          await received.count(1);
          expect(received.ids).toEqual(['late']);
          // A subscriber from before Kafka was available resumes by that position like by any other.
          const { position } = await node.resolve('system', { position: subscribed });
          const replayed = await readAll(node, 'system', position, await node.position('system'));
          expect(replayed.map(({ id }) => id)).toEqual(['late']);
        } finally {
          await node.close();
          await late.stop();
        }
      },
      120_000,
    );

    test('close sends the waiting records, and stops at the time limit when Kafka is unavailable', async () => {
      const options = { brokers: kafka.bootstrap, topicPrefix: freshPrefix() };
      const node = nodes.open(options);
      const sent = node.append('system', outgoing('last words'));
      await node.close();
      await expect(sent).resolves.toBeDefined();
      const lost = nodes.open({ ...options, brokers: '127.0.0.1:1', publishTimeoutMs: 500 });
      let error: unknown;
      void lost.append('system', outgoing('never sent')).catch((reason: unknown) => {
        error = reason;
      });
      // Does not wait for Kafka, but until the publish has failed.
      await lost.close();
      expect(error).toMatchObject({ code: 'unavailable' });
    });
  },
);
