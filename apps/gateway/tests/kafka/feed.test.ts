import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type RemoteGater, serveWorker } from '@esdb-gater/client';
import { createMemoryStore, createStoreWorker } from '@esdb-gater/event-store';
import type { EventStore, RecordedEvent } from '@esdb-gater/types';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type OutsideRecord, readOutside } from '../../../../packages/broker-kafka/tests/support/outside.ts';
import { kafkaUnavailable, type RunningKafka, startKafka } from '../../../../tools/kafka/index.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import type { RawClient } from '../support/raw-client.ts';
import { feeds, Gateways, messagesOf, subscribe } from './support/gateways.ts';

const reason = kafkaUnavailable();
const WAIT = { timeout: 30_000, interval: 50 };
const STREAMS = 4;

describe.skipIf(reason !== undefined)(
  `the feed over one real broker${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let kafka: RunningKafka;
    const gateways = new Gateways(() => kafka.bootstrap);
    const cleanUps: (() => unknown)[] = [];

    let a: GatewayProcess;
    let b: GatewayProcess;

    beforeAll(async () => {
      kafka = await startKafka();
      [a, b] = await Promise.all([gateways.start('a'), gateways.start('b')]);
    }, 180_000);
    afterEach(async () => {
      gateways.disconnect();
      for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
    });
    afterAll(async () => {
      await gateways.close();
      await kafka?.stop();
    });

    /** One store in this process, whose worker is registered at each of the gateways. */
    async function workerAt(storeId: string, ...at: readonly GatewayProcess[]) {
      const store = createMemoryStore({ storeId });
      const worker = createStoreWorker(store, { nodeId: 'worker' });
      const clients: RemoteGater[] = [];
      for (const { url } of at) {
        const client = await connect(url, { retry: { baseDelayMs: 50, maxDelayMs: 200 } });
        cleanUps.push(() => client[Symbol.asyncDispose]());
        clients.push(client);
        await serveWorker(client.connection, worker);
      }
      return { store, clients };
    }

    /** The gateway that feeds the store. */
    async function holder(store: EventStore, ...of: readonly GatewayProcess[]): Promise<GatewayProcess> {
      return await vi.waitFor(() => {
        const holders = of.filter((gateway) => feeds(gateway, store.storeUuid));
        expect(holders).toHaveLength(1);
        return holders[0] as GatewayProcess;
      }, WAIT);
    }

    /** The records of a store in Kafka, read by another client. */
    async function fedRecords({ storeId }: EventStore): Promise<OutsideRecord[]> {
      const records = await readOutside(kafka.bootstrap, `${gateways.topicPrefix}events`);
      return records.filter(({ headers }) => headers['ce_source']?.includes(`/stream/${storeId}/`));
    }

    test('one worker at two gateways: each event comes once, in the order of its stream, on both', async () => {
      const { store } = await workerAt('shared', a, b);
      const clients = await Promise.all([gateways.connect(a), gateways.connect(b)]);
      for (const client of clients) await subscribe(client, 'events', 'shared.>');
      await holder(store, a, b);
      await append(store, 0, 200);
      for (const client of clients) {
        await client.until(() => messagesOf(client).length >= 200);
        expect(messagesOf(client)).toHaveLength(200);
        expect(disorder(client)).toEqual([]);
      }
      const records = await fedRecords(store);
      const ids = records.map(({ headers }) => headers['ce_id']);
      expect(ids).toHaveLength(200);
      expect(new Set(ids).size).toBe(200);
      expect(records[0]?.headers).toMatchObject({
        ce_source: expect.stringMatching(/^esdb:\/\/default\/stream\/shared\/s-\d$/) as string,
        ce_type: 'counted',
      });
    });

    test('a node without a worker of the store releases the feed to a node with one', async () => {
      const { store, clients } = await workerAt('left', a, b);
      const former = await holder(store, a, b);
      const other = former === a ? b : a;
      const subscriber = await gateways.connect(other);
      await subscribe(subscriber, 'events', 'left.>');
      await clients[former === a ? 0 : 1]?.[Symbol.asyncDispose]();
      expect(await holder(store, other)).toBe(other);
      await append(store, 0, 20);
      await subscriber.until(() => messagesOf(subscriber).length >= 20);
      expect(disorder(subscriber)).toEqual([]);
    });

    test('a gateway that is killed between commit and publish publishes the missing events after its restart', async () => {
      const stores = { own: { engine: 'sqlite' } };
      let own = await gateways.start('own', stores);
      const subscriber = await gateways.connect(b);
      await subscribe(subscriber, 'events', 'own.>');
      const client = await gateways.connect(own);
      const acknowledged = new Set<string>();
      const appends = Array.from({ length: 400 }, async (_, n) => {
        const id = crypto.randomUUID();
        const event = { id, type: 'counted', data: { n } };
        const answer = await client
          .call('appendEvents', { storeId: 'own', streamId: `s-${n % STREAMS}`, events: [event] })
          .catch(() => undefined);
        if (answer !== undefined && answer.error === undefined) acknowledged.add(id);
        if (acknowledged.size === 100) void own.kill9();
      });
      await Promise.all(appends);
      await own.kill9();
      expect(acknowledged.size).toBeGreaterThanOrEqual(100);
      own = await gateways.start('own', stores);
      const seen = () => new Set(messagesOf(subscriber).map(({ id }) => id));
      await subscriber.until(() => [...acknowledged].every((id) => seen().has(id)));
      expect(disorder(subscriber)).toEqual([]);
      await own.stop();
    }, 60_000);

    test('F14: the feeding node is killed under load: the other one continues, and no event is missing', async () => {
      const { store } = await workerAt('killed', a, b);
      const former = await holder(store, a, b);
      const survivor = former === a ? b : a;
      const subscriber = await gateways.connect(survivor);
      await subscribe(subscriber, 'events', 'killed.>');
      let count = 0;
      let loading = true;
      const load = (async () => {
        while (loading) {
          count += await append(store, count, 10);
          await sleep(25);
        }
      })();
      await subscriber.until(() => messagesOf(subscriber).length >= 100);
      await former.kill9();
      const killedAt = count;
      await holder(store, survivor);
      await subscriber.until(() => messagesOf(subscriber).length > killedAt + 100);
      loading = false;
      await load;
      await subscriber.until(() => new Set(messagesOf(subscriber).map(({ id }) => id)).size >= count);
      expect(disorder(subscriber)).toEqual([]);

      const fed = (await fedRecords(store)).map(({ value }) => JSON.parse(value ?? '') as RecordedEvent);
      expect(new Set(fed.map(({ id }) => id)).size).toBe(count);
      expect(gaps(fed)).toEqual([]);
    }, 60_000);
  },
);

/** Appends to a few streams in turn. Resolves to how many. */
async function append(store: EventStore, from: number, count: number): Promise<number> {
  for (let n = from; n < from + count; n++) {
    const event = { id: crypto.randomUUID(), type: 'counted', data: { n } };
    await store.appendEvents({ storeId: store.storeId, streamId: `s-${n % STREAMS}`, events: [event] });
  }
  return count;
}

/** Returns the problems of the events that a client received. */
function disorder(client: RawClient): string[] {
  return gaps(messagesOf(client).map(({ message }) => message as RecordedEvent));
}

/** Events that came before one that precedes them in their stream; one that comes again is fine. */
function gaps(events: readonly RecordedEvent[]): string[] {
  const last = new Map<string, number>();
  return events.flatMap(({ streamId, version }) => {
    const expected = (last.get(streamId) ?? -1) + 1;
    if (version < expected) return [];
    last.set(streamId, version);
    return version === expected ? [] : [`${streamId} ${version} instead of ${expected}`];
  });
}
