import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { kafkaUnavailable, type RunningKafka, startKafka } from '../../../tools/kafka/index.ts';
import { check, Load } from './support/load.ts';
import { freshPrefix, Nodes, outgoing, Received, readAll } from './support/nodes.ts';
import { leaderOf, messagesOutside } from './support/outside.ts';

const external = (process.env['KAFKA_BROKERS'] ?? '') !== '';
const reason = external ? 'the brokers of KAFKA_BROKERS are not ours to kill' : kafkaUnavailable();
const kills = process.env['ESDB_GATER_FAULTS'] === '1' ? 6 : 1;

describe.skipIf(reason !== undefined)(
  `three real brokers${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let kafka: RunningKafka;
    const nodes = new Nodes();

    beforeAll(async () => {
      kafka = await startKafka({ brokers: 3 });
    }, 180_000);
    afterEach(() => nodes.closeAll());
    afterAll(() => kafka?.stop());

    test.each(['kafkajs', 'platformatic'] as const)(
      'F9: a leader is killed, and acknowledged records are neither lost nor reordered within a topic (%s)',
      async (driver) => {
        const topicPrefix = freshPrefix();
        const topic = `${topicPrefix}system`;
        const node = nodes.open({ brokers: kafka.bootstrap, driver, topicPrefix });
        const reader = nodes.open({ brokers: kafka.bootstrap, driver, topicPrefix });
        const received = new Received();
        reader.tail('system', received.take);
        await reader.position('system');
        const load = new Load(node);
        for (let kill = 0; kill < kills; kill++) {
          const before = load.acknowledged.length;
          while (load.acknowledged.length < before + 300) await sleep(20);
          const leader = await leaderAt(topic);
          await leader?.kill9();
          await sleep(6_000);
          // Two of three are enough: publishing goes on without it.
          const without = load.acknowledged.length;
          while (load.acknowledged.length < without + 300) await sleep(20);
          await leader?.restart();
        }
        await load.stop();
        const { acknowledged } = load;
        await received.until((records) => check(acknowledged, records).lost.length === 0);
        const outside = await messagesOutside(kafka.bootstrap, topic);
        const { lost, reordered, doubled } = check(acknowledged, outside);
        expect({ lost, reordered }).toEqual({ lost: [], reordered: [] });
        expect(check(acknowledged, received.records)).toEqual({ lost: [], reordered: [], doubled: 0 });
        process.stdout.write(
          `${driver}: ${kills} leaders killed, ${acknowledged.length} acknowledged, ${load.refused.length} refused, 0 lost, 0 reordered, ${doubled} twice in Kafka\n`,
        );
      },
      kills * 60_000 + 60_000,
    );

    test('a subscriber is served as soon as any partition is available, and does not miss records of the others', async () => {
      const options = {
        brokers: kafka.bootstrap,
        topicPrefix: freshPrefix(),
        replicationFactor: 1,
        partitions: 6,
      };
      const before = nodes.open(options);
      const old = new Received();
      before.tail('system', old.take);
      const topics = Array.from({ length: 24 }, (_, i) => `t.${i}`);
      await Promise.all(topics.map((topic) => before.append('system', outgoing(`before-${topic}`, topic))));
      await old.count(topics.length);
      const start = await before.position('system');
      const dead = await leaderAt(`${options.topicPrefix}system`);
      await dead?.kill9();
      while (before.health().status !== 'degraded') await sleep(20);

      const late = nodes.open({ ...options, publishTimeoutMs: 2_000 });
      const received = new Received();
      late.tail('system', received.take);
      const subscribed = await late.position('system');
      const sent = await Promise.allSettled(
        topics.map((topic) => late.append('system', outgoing(`during-${topic}`, topic))),
      );
      const served = sent.filter(({ status }) => status === 'fulfilled').length;
      expect(served).toBeGreaterThan(0);
      expect(served).toBeLessThan(topics.length);
      await received.count(served);
      expect(late.health()).toMatchObject({ status: 'degraded' });

      await dead?.restart();
      while (late.health().status !== 'healthy') await sleep(20);
      await Promise.all(topics.map((topic) => before.append('system', outgoing(`after-${topic}`, topic))));
      const missing = (): string[] => topics.filter((topic) => !received.ids.includes(`after-${topic}`));
      await received.until(() => missing().length === 0);
      expect(received.ids.filter((id) => id.startsWith('before'))).toEqual([]);
      // A position from when some partitions had no leader, and one from before it, are good on any node.
      for (const [position, least] of [
        [subscribed, served + 24],
        [start, served + 24],
      ] as const) {
        const resolved = await before.resolve('system', { position });
        const ids = (await readAll(before, 'system', resolved.position, await late.position('system'))).map(
          ({ id }) => id,
        );
        expect(ids.filter((id) => !id.startsWith('before')).length).toBeGreaterThanOrEqual(least);
        for (const topic of topics) expect(ids).toContain(`after-${topic}`);
      }
    }, 120_000);

    async function leaderAt(topic: string): Promise<RunningKafka['brokers'][number] | undefined> {
      const leader = await leaderOf(kafka.bootstrap, topic);
      return kafka.brokers.find(({ nodeId }) => nodeId === leader);
    }
  },
);
