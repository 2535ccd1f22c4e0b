import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Gater } from '@esdb-gater/client';
import type { RecordedEvent } from '@esdb-gater/types';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { check } from '../../../../packages/broker-kafka/tests/support/load.ts';
import { leaderOf, messagesOutside } from '../../../../packages/broker-kafka/tests/support/outside.ts';
import { kafkaUnavailable } from '../../../../tools/kafka/index.ts';
import { postgresUnavailable } from '../../../../tools/postgres/index.ts';
import { type AcknowledgedAppend, startCountedLoad } from '../support/counted-load.ts';
import { DocumentedDeployment } from '../support/documented-deployment.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { type RawClient, rawConnect } from '../support/raw-client.ts';
import { metric, readiness } from './support/gateways.ts';
import { startLoad } from './support/load.ts';

const external = (process.env['KAFKA_BROKERS'] ?? '') !== '';
const reason = external
  ? 'the brokers of KAFKA_BROKERS are not ours to kill'
  : (kafkaUnavailable() ?? postgresUnavailable({ nodes: 3 }));
const FAULTS = process.env['ESDB_GATER_FAULTS'] === '1';
const WAIT = { timeout: 90_000, interval: 100 };
const STORE = { storeId: 'default' };
const MIB = 1_048_576;

describe.skipIf(reason !== undefined)(
  `three gateways on three PostgreSQL and three secured Kafka, by the commands of the README${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    const deployment = new DocumentedDeployment();
    const clients: Gater[] = [];
    const raws: RawClient[] = [];

    beforeAll(() => deployment.start(), 240_000);
    afterEach(async () => {
      await Promise.all(clients.splice(0).map((client) => client.close()));
      for (const raw of raws.splice(0)) raw.socket.terminate();
    });
    afterAll(() => deployment.stop(), 60_000);

    async function connectAll(): Promise<Gater[]> {
      const opened = await Promise.all(deployment.gateways.map(({ url }) => connect(url)));
      clients.push(...opened);
      return opened;
    }

    /** Collects what the subscribers of every gateway are told of the streams of a load. */
    async function watch(name: string): Promise<Fed[]> {
      const watchers = await connectAll();
      return Promise.all(
        watchers.map(async (client) => {
          const fed = new Fed();
          const messages = await client.subscribe({ channel: 'events', topic: 'default.*.counted' });
          void (async () => {
            for await (const { message } of messages) {
              const event = message as unknown as RecordedEvent;
              if (event.streamId.startsWith(`${name}-`)) fed.add(event);
            }
          })();
          return fed;
        }),
      );
    }

    async function expectAllThere(acknowledged: readonly AcknowledgedAppend[], fed: readonly Fed[]) {
      const [reader] = (await connectAll()) as [Gater];
      const byId = new Map<string, RecordedEvent>();
      let positions = 0;
      for await (const event of reader.allEvents({ ...STORE, limit: 1_000 })) {
        expect(byId.has(event.id)).toBe(false);
        byId.set(event.id, event);
        positions += 1;
        expect(event.position).toBe(positions);
      }
      for (const { id, streamId, version, position } of acknowledged) {
        expect(byId.get(id)).toMatchObject({ streamId, version, position });
      }
      for (const one of fed) {
        await vi.waitFor(() => expect(one.missing(acknowledged)).toEqual([]), WAIT);
        expect(one.disorder).toEqual([]);
      }
    }

    const ready = (nodes: readonly GatewayProcess[] = deployment.gateways) =>
      vi.waitFor(async () => {
        for (const node of nodes) expect(await readiness(node)).toMatchObject({ status: 200 });
      }, WAIT);

    test('what one gateway appends the second reads and the third is told of', async () => {
      await ready();
      const [one, two, three] = (await connectAll()) as [Gater, Gater, Gater];
      const messages = await three.subscribe({ channel: 'events', topic: 'default.users-1.*' });
      const events = [{ type: 'user_created', data: { name: 'Ada' } }];
      await one.appendEvents({ ...STORE, streamId: 'users-1', expectedVersion: -1, events });
      const page = await two.getEvents({ ...STORE, streamId: 'users-1' });
      expect(page.events[0]?.data).toEqual({ name: 'Ada' });
      for await (const { topic } of messages) {
        expect(topic).toBe('default.users-1.user_created');
        break;
      }
    });

    test('of concurrent appends through three gateways that expect one version exactly one wins [F23]', async () => {
      const all = await connectAll();
      for (let version = -1; version < 19; version += 1) {
        const calls = all.flatMap((client) =>
          [1, 2, 3].map((n) =>
            client.appendEvents({
              ...STORE,
              streamId: 'contended',
              expectedVersion: version,
              events: [{ type: 'tried', data: n }],
            }),
          ),
        );
        const lost = (await Promise.allSettled(calls)).flatMap((one) =>
          one.status === 'rejected' ? [one.reason] : [],
        );
        expect(lost).toHaveLength(8);
        for (const error of lost) {
          expect(error).toMatchObject({ code: 'wrong_expected_version', actual: version + 1 });
        }
      }
    });

    test('the primary is killed under load and a standby promoted: appends go on, no event is lost or doubled, and every subscriber is told of all [F35] [F1]', async () => {
      const fed = await watch('promoted');
      const load = startCountedLoad(await connectAll(), STORE.storeId, 'promoted', 30);
      await load.more(500);
      await deployment.loseThePrimary();
      const promotedMs = performance.now();
      await load.more(1);
      // The promise itself is a time.
      expect(performance.now() - promotedMs).toBeLessThan(2_000);
      await load.more(500);
      await expectAllThere(await load.stop(), fed);
      await ready();
    }, 120_000);

    test('a leader of Kafka is killed under load: acknowledged messages are neither lost nor reordered, and the feed goes on [F9]', async () => {
      const topic = 'esdb_channel_system';
      const fed = await watch('led');
      const appends = startCountedLoad(await connectAll(), STORE.storeId, 'led', 3);
      const loads = await Promise.all(
        deployment.gateways.map(async ({ url }, n) => startLoad(await raw(url), `led-${n}-`)),
      );
      await Promise.all(loads.map((load) => load.more(100)));
      const leader = await leaderOf(deployment.bootstrap, topic, deployment.kafkaSecurity);
      await deployment.killBrokers(leader);
      // The first answers after the kill may be those of before.
      await sleep(4_000);
      await Promise.all(loads.map((load) => load.more(100)));
      await appends.more(50);
      await Promise.all(loads.map((load) => load.stop()));
      const acknowledged = loads.flatMap((load) => load.acknowledged);
      const outside = await messagesOutside(deployment.bootstrap, topic, deployment.kafkaSecurity);
      const { lost, reordered } = check(acknowledged, outside);
      expect({ lost, reordered }).toEqual({ lost: [], reordered: [] });
      await expectAllThere(await appends.stop(), fed);
      await ready();
    }, 180_000);

    test(
      'Kafka dies under load: publishes wait a bounded time, acknowledged ones are kept, appends go on, and the feed makes up for it [F8]',
      async () => {
        const topic = 'esdb_channel_system';
        const fed = await watch('outage');
        const appends = startCountedLoad(await connectAll(), STORE.storeId, 'outage', 3);
        const [first] = deployment.gateways as [GatewayProcess];
        const load = startLoad(await raw(first.url), 'outage-');
        let mostBytes = 0;
        for (let outage = 0; outage < (FAULTS ? 20 : 1); outage += 1) {
          await load.more(100);
          await deployment.killBrokers();
          // Appends need no Kafka.
          await appends.more(100);
          await vi.waitFor(
            async () =>
              expect(await readiness(first)).toMatchObject({
                status: 503,
                dependencies: { 'store:default': 'ok', broker: expect.stringMatching(/Kafka/) },
              }),
            WAIT,
          );
          await sleep(outage % 2 === 0 ? 10_000 : 200);
          for (const node of deployment.gateways) {
            mostBytes = Math.max(mostBytes, await metric(node, 'process_resident_memory_bytes'));
          }
          await deployment.startBrokers();
          await ready();
        }
        await load.more(100);
        await load.stop();
        const outside = await messagesOutside(deployment.bootstrap, topic, deployment.kafkaSecurity);
        const { lost, reordered } = check(load.acknowledged, outside);
        expect({ lost, reordered }).toEqual({ lost: [], reordered: [] });
        expect(new Set(load.refused.map(({ code }) => code))).toEqual(new Set(['unavailable']));
        // `kafka.publishTimeoutMs`, and what a busy machine needs.
        expect(load.longestMs).toBeLessThan(8_000 + 2_000);
        expect(mostBytes / MIB).toBeLessThan(500);
        await expectAllThere(await appends.stop(), fed);
      },
      (FAULTS ? 20 : 1) * 60_000 + 180_000,
    );

    async function raw(url: string): Promise<RawClient> {
      const client = await rawConnect(url);
      raws.push(client);
      return client;
    }
  },
);

/** What a subscriber was told of some streams. */
class Fed {
  /** The streams whose events did not come in their order, repetitions aside. */
  readonly disorder: string[] = [];
  readonly #seen = new Set<string>();
  readonly #newest = new Map<string, number>();

  add({ id, streamId, version }: RecordedEvent): void {
    const newest = this.#newest.get(streamId) ?? -1;
    if (version > newest + 1) this.disorder.push(`${streamId}: ${version} after ${newest}`);
    this.#newest.set(streamId, Math.max(newest, version));
    this.#seen.add(id);
  }

  missing(events: readonly AcknowledgedAppend[]): string[] {
    return events
      .filter(({ id }) => !this.#seen.has(id))
      .map(({ streamId, version }) => `${streamId}/${version}`);
  }
}
