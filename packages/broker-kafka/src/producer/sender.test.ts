import { sleep } from '@esdb-gater/primitives';
import { countReach, fc } from '@esdb-gater/property-testing';
import { silentLogger } from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import { FakeKafka, type FakeKafkaOptions, type Fate } from '../../tests/support/fake-kafka.ts';
import { Simulation } from '../../tests/support/simulation.ts';
import { Cluster } from '../client/cluster.ts';
import { Connections } from '../client/connections.ts';
import type { DriverRecord } from '../client/driver.ts';
import { Sender, type SenderSettings } from './sender.ts';

const TOPIC = 'esdb_channel_system';

function setUp(
  options: Partial<FakeKafkaOptions> = {},
  settings: Partial<SenderSettings> = {},
  isReady?: () => boolean,
) {
  const simulation = new Simulation(1);
  const { clock } = simulation.node('node');
  const kafka = new FakeKafka({
    topic: TOPIC,
    partitions: 2,
    wait: () => sleep(2, clock, undefined),
    ...options,
  });
  const connections = new Connections(kafka, 'test', clock);
  const cluster = new Cluster(
    { connections, clock, logger: silentLogger },
    { bootstrap: [{ host: 'fake', port: 9092 }], replicationFactor: undefined },
  );
  cluster.track([{ topic: TOPIC, partitions: 2, settings: {} }]);
  const sender = new Sender(
    { connections, cluster, clock, ...(isReady === undefined ? {} : { isReady }) },
    { publishTimeoutMs: 8_000, queueRecords: 1_000, queueBytes: 1_000_000, ...settings },
  );
  return { simulation, kafka, sender };
}

function record(text: string): DriverRecord {
  return { key: Buffer.from('k'), value: Buffer.from(text), headers: [], timestampMs: 0 };
}

const texts = (log: readonly DriverRecord[] | undefined): string[] =>
  (log ?? []).map(({ value }) => String(value));
const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;

describe('sending', () => {
  test('the records of one turn are sent in one request', async () => {
    const { simulation, kafka, sender } = setUp();
    const sent = Promise.all(Array.from({ length: 50 }, (_, i) => sender.send(TOPIC, record(`${i}`), null)));
    await simulation.run(200);
    expect((await sent).map(({ offset }) => offset)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(kafka.requests).toBe(1);
  });

  test('no record is sent to a partition while its tail has no offset', async () => {
    let ready = false;
    const { simulation, kafka, sender } = setUp({}, {}, () => ready);
    const sent = sender.send(TOPIC, record('early'), null);
    await simulation.run(1_000);
    expect(kafka.requests).toBe(0);
    ready = true;
    sender.wake();
    await simulation.run(200);
    await expect(sent).resolves.toEqual({ partition: 0, offset: 0 });
  });

  test('a publish that Kafka does not acknowledge in time is unavailable, and frees its room', async () => {
    const { simulation, sender } = setUp({ fate: () => 'connection lost' }, { publishTimeoutMs: 1_000 });
    const error = sender.send(TOPIC, record('x'), null).catch((cause: unknown) => cause);
    await simulation.run(999);
    expect(sender.queued.records).toBe(1);
    await simulation.run(1);
    expect(codeOf(await error)).toBe('unavailable');
    expect(sender.queued).toEqual({ records: 0, bytes: 0 });
  });

  test('without Kafka a publish fails in time with unavailable and the reason', async () => {
    const { simulation, sender } = setUp({ reachable: () => false }, { publishTimeoutMs: 1_000 });
    const error = sender.send(TOPIC, record('x'), null).catch((cause: unknown) => cause);
    await simulation.run(1_000);
    expect(await error).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('the queue is also bounded in bytes, but a single record is always accepted', async () => {
    const { simulation, sender } = setUp({}, { queueBytes: 1_024 });
    const large = sender.send(TOPIC, record('x'.repeat(5_000)), null);
    await expect(sender.send(TOPIC, record('y'), null)).rejects.toMatchObject({ code: 'overloaded' });
    await simulation.run(200);
    await expect(large).resolves.toBeDefined();
  });

  test('a signal ends the waiting', async () => {
    const { simulation, sender } = setUp({ reachable: () => false });
    const abort = new AbortController();
    const sent = sender.send(TOPIC, record('x'), null, abort.signal).catch((cause: unknown) => cause);
    await simulation.run(100);
    abort.abort(new Error('no longer'));
    expect(await sent).toMatchObject({ message: 'no longer' });
    expect(sender.queued.records).toBe(0);
  });

  test('one record that Kafka refuses does not fail its batch', async () => {
    const fate = ({ records }: { records: readonly DriverRecord[] }): Fate =>
      records.some(({ value }) => String(value) === 'bad') ? 'too large' : 'written';
    const { simulation, kafka, sender } = setUp({ fate });
    const sent = Promise.allSettled(['a', 'bad', 'b'].map((text) => sender.send(TOPIC, record(text), null)));
    await simulation.run(1_000);
    expect((await sent).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(texts(kafka.logs[0])).toEqual(['a', 'b']);
  });

  test('with any failures, acknowledged records are stored in order per key, with at most one batch per partition in flight', async () => {
    const reach = countReach({ acknowledged: 600, repeated: 200, failures: 100 });
    const fates = fc.array(fc.constantFrom<Fate>('written', 'answer lost', 'connection lost', 'not leader'), {
      minLength: 5,
      maxLength: 25,
    });
    await fc.assert(
      fc.asyncProperty(fates, fc.array(fc.nat(400), { minLength: 1, maxLength: 60 }), async (list, times) => {
        const left = [...list];
        const { simulation, kafka, sender } = setUp({
          fate: () => {
            const fate = left.shift() ?? 'written';
            if (fate !== 'written') reach.count('failures');
            return fate;
          },
        });
        const acknowledged: [number, string][] = [];
        times
          .toSorted((a, b) => a - b)
          .forEach((atMs, i) => {
            simulation.at(atMs, () => {
              const key = Buffer.from(i % 2 === 0 ? 'even' : 'odd');
              sender.send(TOPIC, record(`${i}`), key).then(
                ({ partition }) => acknowledged.push([partition, `${i}`]),
                () => {},
              );
            });
          });
        await simulation.run(30_000);
        expect(sender.queued.records).toBe(0);
        expect(kafka.mostTogether).toBeLessThanOrEqual(1);
        for (const [partition, text] of acknowledged) expect(texts(kafka.logs[partition])).toContain(text);
        reach.count('acknowledged', acknowledged.length);
        for (const log of kafka.logs) {
          const first = [...new Set(texts(log))].map(Number);
          reach.count('repeated', texts(log).length - first.length);
          for (const parity of [0, 1]) {
            const ofKey = first.filter((number) => number % 2 === parity);
            expect(ofKey).toEqual(ofKey.toSorted((a, b) => a - b));
          }
        }
      }),
      { numRuns: 60 },
    );
    reach.check();
  }, 60_000);

  test('close refuses new records and waits for those in flight', async () => {
    const { simulation, sender } = setUp();
    const sent = sender.send(TOPIC, record('x'), null);
    const closed = sender.close();
    await expect(sender.send(TOPIC, record('y'), null)).rejects.toMatchObject({ code: 'unavailable' });
    await simulation.run(200);
    await closed;
    await expect(sent).resolves.toBeDefined();
  });
});
