import { setTimeout as sleep } from 'node:timers/promises';
import { brokerSuite, discoverySuite, type OpenedBroker } from '@esdb-gater/conformance';
import { uuidV5 } from '@esdb-gater/primitives';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { kafkaUnavailable, type RunningKafka, startKafka } from '../../../tools/kafka/index.ts';
import {
  createKafkaBroker,
  createKafkaCheckpoints,
  createKafkaDiscovery,
  createKafkaLeases,
} from '../src/index.ts';
import { freshPrefix, Nodes, outgoing, Received, readAll } from './support/nodes.ts';
import { hasKcat, kcat, outsideClient, readOutside } from './support/outside.ts';

const reason = kafkaUnavailable();

describe.skipIf(reason !== undefined)(
  `with one real broker${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let kafka: RunningKafka;
    const nodes = new Nodes();

    beforeAll(async () => {
      kafka = await startKafka();
    }, 120_000);
    afterEach(() => nodes.closeAll());
    afterAll(() => kafka?.stop());

    describe.each(['kafkajs', 'platformatic'] as const)('by %s', (driver) => {
      const other = driver === 'kafkajs' ? 'platformatic' : 'kafkajs';

      const suite = brokerSuite({
        name: driver,
        supports: { durability: true },
        open: async () => openFor(freshPrefix()),
        reopen: async (opened) => {
          await opened.close();
          return openFor((opened as OpenedHere).topicPrefix);
        },
      });
      for (const { title, run } of suite) test(title, run);

      interface OpenedHere extends OpenedBroker {
        readonly topicPrefix: string;
      }

      function openFor(topicPrefix: string): OpenedHere {
        const broker = createKafkaBroker({}, { brokers: kafka.bootstrap, driver, topicPrefix });
        return { broker, close: () => broker.close(), topicPrefix };
      }

      const discovery = discoverySuite({
        name: `discovery by ${driver}`,
        open: async () => {
          const topic = `${freshPrefix()}nodes`;
          return {
            join: async (node) => {
              const broker = nodes.open({ brokers: kafka.bootstrap, driver });
              return createKafkaDiscovery({ broker }, { node, topic });
            },
            close: () => nodes.closeAll(),
          };
        },
      });
      for (const { title, run } of discovery) test(title, run);

      test('messages published on one node reach every node, in order per topic', async () => {
        const options = { brokers: kafka.bootstrap, topicPrefix: freshPrefix() };
        const a = nodes.open({ ...options, driver });
        const b = nodes.open({ ...options, driver: other });
        const [atA, atB] = [new Received(), new Received()];
        a.tail('system', atA.take);
        b.tail('system', atB.take);
        await Promise.all([a.position('system'), b.position('system')]);
        const ids = Array.from({ length: 300 }, (_, i) => `m${i}`);
        await Promise.all(ids.map((id, i) => a.append('system', outgoing(id, `topic.${i % 5}`))));
        for (const received of [atA, atB]) {
          await received.count(300);
          for (let topic = 0; topic < 5; topic++) {
            const inOrder = ids.filter((_, i) => i % 5 === topic);
            const seen = received.records
              .filter((record) => record.topic === `topic.${topic}`)
              .map(({ id }) => id);
            expect(seen).toEqual(inOrder);
          }
        }
        expect(a.health()).toEqual({ status: 'healthy' });
      });

      test('a message that is sent right after the tail was opened reaches it', async () => {
        const node = nodes.open({ brokers: kafka.bootstrap, driver, topicPrefix: freshPrefix() });
        const received = new Received();
        node.tail('system', received.take);
        await node.append('system', outgoing('first'));
        await received.count(1);
        expect(received.ids).toEqual(['first']);
      });

      test('a subscriber resumes on another node with its position without losing a message', async () => {
        const options = { brokers: kafka.bootstrap, topicPrefix: freshPrefix() };
        const a = nodes.open({ ...options, driver });
        const b = nodes.open({ ...options, driver: other });
        const [received, atB] = [new Received(), new Received()];
        a.tail('system', received.take);
        b.tail('system', atB.take);
        await Promise.all([a.position('system'), b.position('system')]);
        const ids = Array.from({ length: 60 }, (_, i) => `m${i}`);
        for (const [i, id] of ids.entries()) await a.append('system', outgoing(id, `t${i % 9}`));
        await Promise.all([received.count(60), atB.count(60)]);
        for (const taken of [0, 1, 17, 59, 60]) {
          const last =
            received.records[taken - 1]?.position ?? (await b.resolve('system', 'earliest')).position;
          const { position } = await b.resolve('system', { position: last });
          const rest = await readAll(b, 'system', position, await b.position('system'));
          const seen = [...received.ids.slice(0, taken), ...rest.map(({ id }) => id)];
          expect(seen.toSorted()).toEqual(ids.toSorted());
          const end = rest.at(-1)?.position ?? last;
          expect(b.caughtUp('system', end, await b.position('system'))).toBe(true);
        }
      });

      test('a replay by time begins with the first message at or after it', async () => {
        const node = nodes.open({ brokers: kafka.bootstrap, driver, topicPrefix: freshPrefix() });
        node.tail('system', () => {});
        const times = ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:01.000Z', '2026-01-01T00:00:02.000Z'];
        for (const [i, time] of times.entries())
          await node.append('system', outgoing(`m${i}`, 'a', 'system', { time }));
        const { position, lost } = await node.resolve('system', { time: times[1] ?? '' });
        const records = await readAll(node, 'system', position, await settled(node, 3));
        expect(records.map(({ id, time }) => [id, time])).toEqual([
          ['m1', times[1]],
          ['m2', times[2]],
        ]);
        expect(lost).toBeUndefined();
        const later = await node.resolve('system', { time: '2026-01-01T00:00:03.000Z' });
        expect(node.caughtUp('system', later.position, node.tailPosition('system') ?? '')).toBe(true);
      });

      /** The tail's position once it has passed `count` records of `system`. */
      async function settled(node: ReturnType<Nodes['open']>, count: number): Promise<string> {
        for (;;) {
          const position = await node.position('system');
          const start = (await node.resolve('system', 'earliest')).position;
          if ((await readAll(node, 'system', start, position)).length >= count) return position;
        }
      }

      test('a position with expired records is position_lost with the oldest position', async () => {
        const topicPrefix = freshPrefix();
        const node = nodes.open({ brokers: kafka.bootstrap, driver, topicPrefix, partitions: 1 });
        const received = new Received();
        node.tail('system', received.take);
        const start = await node.position('system');
        for (let i = 0; i < 5; i++) await node.append('system', outgoing(`m${i}`));
        await received.count(5);
        const admin = outsideClient(kafka.bootstrap).admin();
        await admin.connect();
        await admin.fetchTopicOffsets(`${topicPrefix}system`); // or it does not know the topic
        await admin.deleteTopicRecords({
          topic: `${topicPrefix}system`,
          partitions: [{ partition: 0, offset: '3' }],
        });
        await admin.disconnect();
        // The tail knows the first offset from its last response.
        await node.append('system', outgoing('m5'));
        await received.count(6);
        const error = await node.resolve('system', { position: start }).catch((cause: unknown) => cause);
        expect(error).toMatchObject({
          code: 'invalid_argument',
          reason: 'position_lost',
          oldest: expect.any(String),
        });
        const { position } = await node.resolve('system', { position: (error as { oldest: string }).oldest });
        const rest = await readAll(node, 'system', position, await node.position('system'));
        expect(rest.map(({ id }) => id)).toEqual(['m3', 'm4', 'm5']);
        expect((await node.resolve('system', { time: '2020-01-01T00:00:00Z' })).lost).toBe(true);
        await expect(readAll(node, 'system', start, await node.position('system'))).rejects.toMatchObject({
          reason: 'position_lost',
        });
      });

      test('a position of another channel is malformed', async () => {
        const node = nodes.open({ brokers: kafka.bootstrap, driver, topicPrefix: freshPrefix() });
        node.tail('system', () => {});
        const position = await node.position('system');
        await expect(node.resolve('metrics', { position })).rejects.toMatchObject({
          reason: 'position_malformed',
        });
      });

      test('records have the key, the value and the headers of the contract, read by another client [T19]', async () => {
        const topicPrefix = freshPrefix();
        const node = nodes.open({ brokers: kafka.bootstrap, driver, topicPrefix });
        const record = outgoing('id-1', 'user.created', 'events', {
          message: { name: 'Zoë' },
          type: 'user_created',
          source: 'esdb://default/stream/default/user-1',
          partitionKey: 'default.user-1',
          traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        });
        await node.append('events', record);
        const [seen] = await readOutside(kafka.bootstrap, `${topicPrefix}events`);
        expect(seen).toMatchObject({ key: 'user.created', value: '{"name":"Zoë"}' });
        expect(seen?.headers).toEqual({
          ce_specversion: '1.0',
          ce_id: 'id-1',
          ce_source: record.source,
          ce_type: 'user_created',
          ce_subject: 'user.created',
          ce_time: record.time,
          'content-type': 'application/json',
          traceparent: record.traceparent,
        });
      });

      test('a client that chooses partitions by murmur2 of the key chooses the same', async () => {
        const topicPrefix = freshPrefix();
        const topic = `${topicPrefix}system`;
        const node = nodes.open({ brokers: kafka.bootstrap, driver, topicPrefix });
        const keys = Array.from({ length: 20 }, (_, i) => `topic.${i}`);
        await Promise.all(keys.map((key) => node.append('system', outgoing(key, key))));
        const producer = outsideClient(kafka.bootstrap).producer();
        await producer.connect();
        await producer.send({ topic, messages: keys.map((key) => ({ key, value: '1' })) });
        await producer.disconnect();
        const records = await readOutside(kafka.bootstrap, topic);
        expect(records).toHaveLength(40);
        for (const key of keys) {
          expect(
            new Set(records.filter((record) => record.key === key).map(({ partition }) => partition)).size,
          ).toBe(1);
        }
        expect(new Set(records.map(({ partition }) => partition)).size).toBe(4);
      });

      test('all events of a stream share a partition, for any topics', async () => {
        const topicPrefix = freshPrefix();
        const node = nodes.open({ brokers: kafka.bootstrap, driver, topicPrefix });
        const fed = (i: number) =>
          outgoing(`e${i}`, `default.user-1.type_${i}`, 'events', { partitionKey: 'default.user-1' });
        await Promise.all(Array.from({ length: 12 }, (_, i) => node.append('events', fed(i))));
        const records = await readOutside(kafka.bootstrap, `${topicPrefix}events`);
        expect(records.map(({ key }) => key)).toEqual(
          Array.from({ length: 12 }, (_, i) => `default.user-1.type_${i}`),
        );
      });

      test('a record without headers of another client is delivered with a UUIDv5 of its place', async () => {
        const topicPrefix = freshPrefix();
        const topic = `${topicPrefix}system`;
        const node = nodes.open({ brokers: kafka.bootstrap, driver, topicPrefix, partitions: 1 });
        const received = new Received();
        node.tail('system', received.take);
        await node.position('system');
        const producer = outsideClient(kafka.bootstrap).producer();
        await producer.connect();
        await producer.send({ topic, messages: [{ key: 'from.outside', value: '{"by":"another"}' }] });
        await producer.disconnect();
        await received.count(1);
        expect(received.records[0]).toMatchObject({
          id: uuidV5(`${topic}/0/0`),
          topic: 'from.outside',
          message: { by: 'another' },
        });
        expect(Date.now() - Date.parse(received.records[0]?.time ?? '')).toBeLessThan(60_000);
      });

      test.skipIf(!hasKcat)('batches that kcat compresses in any way are read', async () => {
        const topicPrefix = freshPrefix();
        const node = nodes.open({ brokers: kafka.bootstrap, driver, topicPrefix });
        const received = new Received();
        node.tail('system', received.take);
        await node.position('system');
        const text = 'abc'.repeat(200);
        for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
          const lines = Array.from(
            { length: 20 },
            (_, i) => `${codec}.k${i % 3}\t${JSON.stringify({ codec, text })}`,
          ).join('\n');
          const flags = ['-P', '-b', kafka.bootstrap, '-t', `${topicPrefix}system`, '-K', '\t', '-z', codec];
          await kcat([...flags, '-H', 'custom=header'], lines);
        }
        await received.count(100);
        expect(
          new Set(received.records.map(({ message }) => (message as { codec: string }).codec)).size,
        ).toBe(5);
        expect(node.stats().deadLetters.size).toBe(0);
      });

      test('F21: a record that cannot be parsed goes to the dead letters with its bytes and the reason, is counted, and the partition continues', async () => {
        const topicPrefix = freshPrefix();
        const topic = `${topicPrefix}system`;
        const met: string[] = [];
        const node = nodes.open(
          { brokers: kafka.bootstrap, driver, topicPrefix, partitions: 1 },
          { onDeadLetter: (channel, why) => met.push(`${channel}:${why}`) },
        );
        const received = new Received();
        node.tail('system', received.take);
        await node.position('system');
        const producer = outsideClient(kafka.bootstrap).producer();
        await producer.connect();
        const bad = [
          { key: null, value: '{}' },
          { key: 'a', value: null },
          { key: 'a', value: '' },
          { key: 'a b', value: '{}' },
          { key: 'a', value: Buffer.from([0x22, 0xff, 0x22]) },
          { key: 'a', value: 'not json' },
        ];
        await producer.send({ topic, messages: [...bad, { key: 'good', value: '{"n":1}' }] });
        await producer.disconnect();
        await received.count(1);
        expect(received.records).toMatchObject([{ topic: 'good', message: { n: 1 } }]);
        const reasons = [
          'no_key',
          'empty_value',
          'empty_value',
          'key_not_a_topic',
          'value_not_utf8',
          'value_not_json',
        ];
        expect(met).toEqual(reasons.map((why) => `system:${why}`));
        expect(node.stats().deadLetters.get('system')).toBe(6);
        const again = await node.resolve('system', 'earliest');
        await readAll(node, 'system', again.position, await node.position('system'));
        expect(node.stats().deadLetters.get('system'), 'a replay does not count them again').toBe(6);
        await node.close();
        const letters = await readOutside(kafka.bootstrap, `${topic}.dead-letter`);
        expect(letters.map(({ headers }) => headers['esdb_error'])).toEqual(reasons);
        expect(letters.map(({ headers }) => headers['esdb_origin'])).toEqual(
          bad.map((_, i) => `${topic}/0/${i}`),
        );
        expect(letters[5]).toMatchObject({ key: 'a', value: 'not json' });
        expect(letters[0]?.key ?? '').toBe('');
      });

      test('a record that the check of the channels refuses goes to the dead letters with the reason', async () => {
        const topicPrefix = freshPrefix();
        const node = nodes.open(
          { brokers: kafka.bootstrap, driver, topicPrefix },
          {
            accept: (channel, { message }, { kafkaTimeMs }) => {
              expect(Math.abs(kafkaTimeMs - Date.now())).toBeLessThan(60_000);
              return channel === 'alerts' && (message as { id: string }).id === 'unsigned'
                ? 'signature_required'
                : true;
            },
          },
        );
        const received = new Received();
        node.tail('alerts', received.take);
        // On this channel the broker's time counts, not the time in the record.
        const time = '2020-01-01T00:00:00.000Z';
        await node.append('alerts', outgoing('unsigned', 'x', 'alerts', { time }));
        await node.append('alerts', outgoing('signed', 'x', 'alerts', { time }));
        await received.count(1);
        expect(received.ids).toEqual(['signed']);
        await node.close();
        const letters = await readOutside(kafka.bootstrap, `${topicPrefix}alerts.dead-letter`);
        expect(letters.map(({ headers }) => headers['esdb_error'])).toEqual(['signature_required']);
      });

      test('F11: a record with the same source, subject and id as an earlier one is dropped, any other is not', async () => {
        const topicPrefix = freshPrefix();
        const node = nodes.open({ brokers: kafka.bootstrap, driver, topicPrefix });
        const received = new Received();
        node.tail('events', received.take);
        const source = 'esdb://default/stream/s/u';
        await node.append('events', outgoing('same', 'x', 'events', { source }));
        await node.append('events', outgoing('same', 'x', 'events', { source }));
        await node.append('events', outgoing('same', 'x', 'events'));
        await node.append('events', outgoing('same', 'y', 'events', { source }));
        await node.append('events', outgoing('last', 'y', 'events', { source }));
        await received.until((records) => records.some(({ id }) => id === 'last') && records.length >= 4);
        expect(received.ids.filter((id) => id === 'same')).toHaveLength(3);
        expect(node.stats().duplicates).toBe(1);
        const { position } = await node.resolve('events', 'earliest');
        expect(await readAll(node, 'events', position, await node.position('events'))).toHaveLength(4);
      });

      test('a message that the topic does not take is payload_too_large, and the others of its batch go through', async () => {
        const node = nodes.open({ brokers: kafka.bootstrap, driver, topicPrefix: freshPrefix() });
        await node.append('system', outgoing('before'));
        const sent = await Promise.allSettled(
          ['a', 'b', 'c'].map((id) =>
            node.append(
              'system',
              outgoing(id, 'x', 'system', id === 'b' ? { message: 'x'.repeat(2_200_000) } : {}),
            ),
          ),
        );
        expect(sent.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
        expect(sent[1]).toMatchObject({ reason: { code: 'payload_too_large' } });
      });

      test('the queue is bounded: more records are overloaded at once', async () => {
        const node = nodes.open({
          brokers: kafka.bootstrap,
          driver,
          topicPrefix: freshPrefix(),
          queueRecords: 10,
        });
        const sent = await Promise.allSettled(
          Array.from({ length: 25 }, (_, i) => node.append('system', outgoing(`m${i}`))),
        );
        const refused = sent.filter((outcome) => outcome.status === 'rejected');
        expect(refused).toHaveLength(15);
        for (const outcome of refused)
          expect(outcome).toMatchObject({ reason: { code: 'overloaded', retriable: true } });
        expect(node.stats().queued).toEqual({ records: 0, bytes: 0 });
      });

      test('topics are created with their partitions and retention', async () => {
        const topicPrefix = freshPrefix();
        const node = nodes.open({ brokers: kafka.bootstrap, driver, topicPrefix, partitions: 3 });
        for (const channel of ['health', 'security', 'system'] as const) {
          node.tail(channel, () => {});
          await node.position(channel);
          await node.append(channel, outgoing('x', 'x', channel));
        }
        const admin = outsideClient(kafka.bootstrap).admin();
        await admin.connect();
        const [health, security, letters] = await Promise.all(
          ['health', 'security', 'system.dead-letter'].map(async (name) => {
            const { resources } = await admin.describeConfigs({
              includeSynonyms: false,
              resources: [{ type: 2, name: topicPrefix + name }],
            });
            return new Map(
              resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]),
            );
          }),
        );
        const { topics } = await admin.fetchTopicMetadata({ topics: [`${topicPrefix}health`] });
        await admin.disconnect();
        expect(topics[0]?.partitions).toHaveLength(3);
        expect(health?.get('cleanup.policy')).toBe('compact');
        expect(security?.get('cleanup.policy')).toBe('delete');
        expect(Number(security?.get('retention.ms'))).toBeGreaterThanOrEqual(30 * 86_400_000);
        expect(security?.get('message.timestamp.type')).toBe('LogAppendTime');
        expect(security?.get('max.message.bytes')).toBe(String(2 * 1_048_576));
        expect(letters?.get('cleanup.policy')).toBe('delete');
      });

      test('a log is read to its end, appended to and followed, on every node', async () => {
        const topic = `${freshPrefix()}revocations`;
        const options = { brokers: kafka.bootstrap, driver };
        const seen: Record<string, [string, unknown][]> = { a: [], b: [] };
        const a = nodes
          .open(options)
          .openLog({ topic, onRecord: ({ key, value }) => seen['a']?.push([key, value]) });
        await a.ready();
        expect(seen['a']).toEqual([]);
        await a.append('cid-1', { at: 1 });
        await a.append('cid-2', { at: 2 });
        const b = nodes
          .open(options)
          .openLog({ topic, onRecord: ({ key, value }) => seen['b']?.push([key, value]) });
        await b.ready();
        expect(seen['b']).toEqual([
          ['cid-1', { at: 1 }],
          ['cid-2', { at: 2 }],
        ]);
        await b.append('cid-1');
        await a.ready();
        expect(seen['a']?.at(-1)).toEqual(['cid-1', undefined]);
        expect(a.complete).toBe(true);
      });

      test('a lease is held by one node, and moves at once when it is released and after its duration when its node dies', async () => {
        const topic = `${freshPrefix()}leases`;
        const open = (nodeId: string) => {
          const broker = nodes.open({ brokers: kafka.bootstrap, driver });
          const leases = createKafkaLeases({ broker }, { nodeId, ttlMs: 1_000, topic });
          return { broker, leases, lease: leases.acquire('store-uuid') };
        };
        const [a, b, c] = [open('a'), open('b'), open('c')];
        const all = [a, b, c];
        const holder = async (among: typeof all) => {
          for (;;) {
            const holding = among.filter(({ lease }) => lease.epoch !== undefined);
            expect(holding.length).toBeLessThanOrEqual(1);
            if (holding[0] !== undefined) return holding[0];
            await sleep(10);
          }
        };
        const first = await holder(all);
        const epoch = first.lease.epoch ?? 0;
        const others = all.filter((node) => node !== first);
        await first.lease.release();
        const second = await holder(others);
        expect(second.lease.epoch).toBeGreaterThan(epoch);
        await second.broker.close(); // ends without a release
        const third = await holder(others.filter((node) => node !== second));
        expect(third.lease.epoch).toBeGreaterThan(epoch + 1);
      });

      test('a checkpoint is the same on every node, and moves back only in a new turn', async () => {
        const topic = `${freshPrefix()}checkpoints`;
        const open = () => {
          const broker = nodes.open({ brokers: kafka.bootstrap, driver });
          return createKafkaCheckpoints({ broker }, { topic }).of('store-uuid');
        };
        const a = open();
        expect(await a.load()).toEqual({ position: 0 });
        const reached = { position: 7, proof: 'abcdefgh', earlier: [{ position: 2, proof: 'ijklmnop' }] };
        await a.save(reached);
        expect(await a.load()).toEqual(reached);
        await a.save({ position: 3 });
        const b = open();
        expect(await b.load()).toEqual(reached);
        await b.save({ position: 12 });
        expect(await a.load()).toEqual({ position: 12 });
        await a.save({ position: 1, turn: 1 });
        expect(await b.load()).toEqual({ position: 1, turn: 1 });
      });

      test('lag is the number of records in Kafka that are not delivered', async () => {
        const node = nodes.open({ brokers: kafka.bootstrap, driver, topicPrefix: freshPrefix() });
        const received = new Received();
        node.tail('system', received.take);
        await Promise.all(Array.from({ length: 50 }, (_, i) => node.append('system', outgoing(`m${i}`))));
        await received.count(50);
        expect(node.stats().lag.get('system')).toBe(0);
      });
    });
  },
);
