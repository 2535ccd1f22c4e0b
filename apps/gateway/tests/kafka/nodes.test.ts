import { setTimeout as sleep } from 'node:timers/promises';
import { createRevocation, createToken, sign, tokenId } from '@esdb-gater/security';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { check } from '../../../../packages/broker-kafka/tests/support/load.ts';
import {
  hasKcat,
  kcat,
  outsideClient,
  readOutside,
} from '../../../../packages/broker-kafka/tests/support/outside.ts';
import { kafkaUnavailable, type RunningKafka, startKafka } from '../../../../tools/kafka/index.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { Gateways, messagesOf, metric, publish, readiness, SECRET, subscribe } from './support/gateways.ts';

const reason = kafkaUnavailable();
const WAIT = { timeout: 15_000, interval: 25 };

describe.skipIf(reason !== undefined)(
  `two gateways and one real broker${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let kafka: RunningKafka;
    let a: GatewayProcess;
    let b: GatewayProcess;
    const gateways = new Gateways(() => kafka.bootstrap);
    const topicOf = (channel: string): string => `${gateways.topicPrefix}${channel}`;

    beforeAll(async () => {
      kafka = await startKafka();
      // One with each driver: they must understand each other.
      [a, b] = await Promise.all([
        gateways.start('a', { default: { engine: 'sqlite' } }),
        gateways.start('b', {}, ['--kafka-driver', 'platformatic']),
      ]);
    }, 180_000);
    afterEach(() => gateways.disconnect());
    afterAll(async () => {
      await gateways.close();
      await kafka?.stop();
    });

    /** Writes records as a client without knowledge of gateways. */
    async function writeOutside(
      channel: string,
      key: string | null,
      values: readonly string[],
    ): Promise<void> {
      if (hasKcat) {
        const lines = values.map((value) => (key === null ? value : `${key}\t${value}`)).join('\n');
        const options = key === null ? [] : ['-K', '\t'];
        await kcat(['-P', '-b', kafka.bootstrap, '-t', topicOf(channel), ...options], `${lines}\n`);
        return;
      }
      const producer = outsideClient(kafka.bootstrap).producer();
      await producer.connect();
      await producer.send({ topic: topicOf(channel), messages: values.map((value) => ({ key, value })) });
      await producer.disconnect();
    }

    test('both report that they are ready', async () => {
      for (const gateway of [a, b]) {
        expect(await readiness(gateway)).toMatchObject({
          status: 200,
          dependencies: { broker: 'ok', revocations: 'ok' },
        });
      }
    });

    test('messages published on one node reach the subscribers of the other, with their ids, in order', async () => {
      const [atA, atB] = await Promise.all([gateways.connect(a), gateways.connect(b)]);
      await subscribe(atB, 'system', 'jobs.*');
      const ids: string[] = [];
      for (let n = 0; n < 20; n++) ids.push(await publish(atA, 'system', 'jobs.done', { n }));
      await atB.until(() => messagesOf(atB).length === 20);
      expect(messagesOf(atB).map(({ id }) => id)).toEqual(ids);
      expect(messagesOf(atB)[0]).toMatchObject({ channel: 'system', topic: 'jobs.done', message: { n: 0 } });
    });

    test('a `latest` subscription starts after all records that any node acknowledged before', async () => {
      const [publisher, ...subscribers] = await Promise.all([a, a, b].map((node) => gateways.connect(node)));
      if (publisher === undefined) throw new Error('there is no publisher');
      for (let n = 0; n < 30; n++) {
        const topic = `fresh.${n}`;
        await publish(publisher, 'system', topic, 'before');
        await Promise.all(subscribers.map((client) => subscribe(client, 'system', topic)));
        await publish(publisher, 'system', topic, 'after');
      }
      for (const client of subscribers) {
        await client.until(() => messagesOf(client).length >= 30);
        expect(messagesOf(client).map(({ message }) => message)).toEqual(Array(30).fill('after'));
      }
    });

    test('a subscriber resumes on the other node with its position without losing a message', async () => {
      const publisher = await gateways.connect(a);
      const atA = await gateways.connect(a);
      await subscribe(atA, 'audit', '>');
      const sent: string[] = [];
      const load = (async () => {
        for (let n = 0; n < 300; n++) {
          sent.push(await publish(publisher, 'audit', `t.${n % 7}`, n));
          if (n % 10 === 0) await sleep(5);
        }
      })();
      await atA.until(() => messagesOf(atA).length >= 50);
      atA.socket.terminate();
      const seen = messagesOf(atA);
      await sleep(100);
      const atB = await gateways.connect(b);
      await subscribe(atB, 'audit', '>', { position: seen.at(-1)?.position });
      await load;
      await atB.until(() => seen.length + messagesOf(atB).length >= sent.length);
      const got = [...seen, ...messagesOf(atB)].map(({ id }) => id);
      expect(got).toHaveLength(300);
      expect(new Set(got)).toEqual(new Set(sent));
      await atB.until(() => atB.notices.some(({ method }) => method === 'replayed'));
    });

    test('a record has the headers of CloudEvents for all readers of the topic [T19]', async () => {
      const client = await gateways.connect(a);
      const id = await publish(client, 'metrics', 'cpu.load', { percent: 7 });
      const [record] = await readOutside(kafka.bootstrap, topicOf('metrics'));
      expect(record).toMatchObject({ key: 'cpu.load', value: '{"percent":7}' });
      expect(record?.headers).toMatchObject({
        ce_specversion: '1.0',
        ce_id: id,
        ce_source: 'esdb://default/channel/metrics',
        ce_type: 'esdb_gater.message',
        ce_subject: 'cpu.load',
        'content-type': 'application/json',
      });
    });

    test('a record that another client wrote reaches subscribers of every node', async () => {
      const clients = await Promise.all([gateways.connect(a), gateways.connect(b)]);
      for (const client of clients) await subscribe(client, 'lifecycle', '*.started');
      await writeOutside('lifecycle', 'web.started', ['{"by":"kcat"}']);
      for (const client of clients) await client.until(() => messagesOf(client).length === 1);
      const [first, second] = clients.map((client) => messagesOf(client)[0]);
      expect(first).toMatchObject({ topic: 'web.started', message: { by: 'kcat' } });
      // A UUIDv5 of its place, so the same on every node.
      expect(first?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/);
      expect(second?.id).toBe(first?.id);
    });

    test('a number that a double does not hold passes on as another client wrote it, live and replayed [R17]', async () => {
      const client = await gateways.connect(a);
      await subscribe(client, 'system', 'exact.live');
      const value = '{"id":9223372036854775807,"far":1e999}';
      await writeOutside('system', 'exact.live', [value]);
      await client.until(() => messagesOf(client).length === 1);
      expect(client.texts.at(-1)).toContain(`"message":${value}`);
      const later = await gateways.connect(a);
      await subscribe(later, 'system', 'exact.live', 'earliest');
      await later.until(() => messagesOf(later).length === 1);
      expect(later.texts.filter((text) => text.includes(`"message":${value}`))).toHaveLength(1);
    });

    test('F21: a record that cannot be parsed goes to the dead letters and is counted, and the partition continues', async () => {
      const client = await gateways.connect(b);
      await subscribe(client, 'logging', '>');
      await writeOutside('logging', 'web.line', ['{"n":1}', '{"n":', '{"n":2}']);
      await writeOutside('logging', null, ['{"n":3}']);
      await client.until(() => messagesOf(client).length === 2);
      expect(messagesOf(client).map(({ message }) => message)).toEqual([{ n: 1 }, { n: 2 }]);
      await vi.waitFor(
        async () => expect(await metric(b, 'esdb_gater_dead_letters_total{channel="logging"}')).toBe(2),
        WAIT,
      );
      await vi.waitFor(async () => {
        const letters = await readOutside(kafka.bootstrap, topicOf('logging.dead-letter'));
        const damaged = letters.filter(({ value }) => value === '{"n":');
        // Each node may write one.
        expect([1, 2]).toContain(damaged.length);
        expect(damaged[0]).toMatchObject({
          key: 'web.line',
          headers: { esdb_error: expect.any(String) as string },
        });
      }, WAIT);
    });

    test('a forged record on a signed channel is delivered nowhere and becomes a dead letter', async () => {
      const clients = await Promise.all([gateways.connect(a), gateways.connect(b)]);
      for (const client of clients) await subscribe(client, 'alerts', '>');
      const signed = (secret: string, topic: string) =>
        JSON.stringify(sign({ level: topic }, { secret, channel: 'alerts', topic }));
      await writeOutside('alerts', 'disk.full', [
        '{"level":"unsigned"}',
        signed('another secret', 'disk.full'),
        signed(SECRET, 'disk.fine'),
        signed(SECRET, 'disk.full'),
      ]);
      const own = sign({ level: 'last' }, { secret: SECRET, channel: 'alerts', topic: 'disk.last' });
      const [atA] = clients;
      if (atA !== undefined) await publish(atA, 'alerts', 'disk.last', own);
      for (const client of clients) {
        await client.until(() => messagesOf(client).length >= 2);
        const levels = messagesOf(client).map(({ message }) => (message as { level: string }).level);
        expect(levels.toSorted()).toEqual(['disk.full', 'last']);
      }
      // Also not to who replays.
      const later = await gateways.connect(b);
      await subscribe(later, 'alerts', '>', 'earliest');
      await later.until(() => later.notices.some(({ method }) => method === 'replayed'));
      expect(messagesOf(later)).toHaveLength(2);
      await vi.waitFor(async () => {
        const letters = await readOutside(kafka.bootstrap, topicOf('alerts.dead-letter'));
        expect(new Set(letters.map(({ headers }) => headers['esdb_error']))).toEqual(
          new Set(['signature_required', 'invalid_signature: mismatch']),
        );
      }, WAIT);
      expect(await metric(a, 'esdb_gater_dead_letters_total{channel="alerts"}')).toBe(3);
    });

    test('an event appended on one node reaches subscribers of the other, and replays from Kafka', async () => {
      const [atA, atB] = await Promise.all([gateways.connect(a), gateways.connect(b)]);
      await subscribe(atB, 'events', 'default.order-1.*');
      const event = (n: number) => ({ type: 'counted', data: { n } });
      const append = { storeId: 'default', streamId: 'order-1', events: [event(0), event(1), event(2)] };
      expect((await atA.call('appendEvents', append)).error).toBeUndefined();
      await atB.until(() => messagesOf(atB).length === 3);
      expect(messagesOf(atB).map(({ message }) => (message as { version: number }).version)).toEqual([
        0, 1, 2,
      ]);
      const later = await gateways.connect(b);
      await subscribe(later, 'events', 'default.order-1.*', 'earliest');
      await later.until(() => messagesOf(later).length === 3);
      expect(messagesOf(later).map(({ id }) => id)).toEqual(messagesOf(atB).map(({ id }) => id));
    });

    test('a node that starts later knows the last message of each topic of health', async () => {
      const publisher = await gateways.connect(a);
      await publish(publisher, 'health', 'db.primary', { up: false });
      await publish(publisher, 'health', 'db.primary', { up: true });
      await publish(publisher, 'health', 'db.replica', { up: true });
      const late = await gateways.start('late');
      const client = await gateways.connect(late);
      await subscribe(client, 'health', 'db.*');
      await client.until(() => client.notices.some(({ method }) => method === 'replayed'));
      expect(messagesOf(client).map(({ topic, message }) => [topic, message])).toEqual([
        ['db.primary', { up: true }],
        ['db.replica', { up: true }],
      ]);
      expect(await late.stop()).toBe(0);
    });

    test('T6: a token that is revoked on one node is dead on every node within a second, and on later ones', async () => {
      const token = createToken({
        issuer: gateways.identity,
        audience: gateways.identity.did,
        att: [{ with: 'esdb://default/channel/system/*', can: 'channel/subscribe' }],
      });
      const victim = await gateways.connect(a, token);
      await subscribe(victim, 'system', 'secret.>');
      const publisher = await gateways.connect(a);
      await publish(publisher, 'system', 'secret.one', 1);
      await victim.until(() => messagesOf(victim).length === 1);

      const caller = await gateways.connect(b);
      const revocation = createRevocation(gateways.identity, { cid: tokenId(token) });
      const began = performance.now();
      expect((await caller.call('revokeToken', revocation)).error).toBeUndefined();
      expect((await victim.closed).code).toBe(4403);
      // The promise itself is a time.
      expect(performance.now() - began).toBeLessThan(1_000);
      await publish(publisher, 'system', 'secret.two', 2);
      expect(messagesOf(victim)).toHaveLength(1);
      for (const gateway of [a, b]) await expect(gateways.connect(gateway, token)).rejects.toThrow('401');

      const records = await readOutside(kafka.bootstrap, 'esdb_gater_revocations');
      expect(records.map(({ key }) => key)).toContain(`${gateways.identity.did} ${tokenId(token)}`);
      // A node that can learn it only from that topic: its folder and its channels are new.
      const fresh = await gateways.start('fresh', {}, [
        '--kafka-topic-prefix',
        `${gateways.topicPrefix}other_`,
      ]);
      await vi.waitFor(async () => expect((await readiness(fresh)).status).toBe(200), WAIT);
      await expect(gateways.connect(fresh, token)).rejects.toThrow('401');
      await fresh.stop();
    });

    test('a revocation that is published on the security channel is stored in the topic of revocations', async () => {
      const token = createToken({ issuer: gateways.identity, audience: gateways.identity.did, att: [ALL] });
      const revocation = createRevocation(gateways.identity, { cid: tokenId(token) });
      const topic = 'token.revoked';
      const client = await gateways.connect(a);
      await publish(
        client,
        'security',
        topic,
        sign(revocation, { secret: SECRET, channel: 'security', topic }),
      );
      await vi.waitFor(() => expect(gateways.connect(b, token)).rejects.toThrow('401'), WAIT);
      await vi.waitFor(async () => {
        const records = await readOutside(kafka.bootstrap, 'esdb_gater_revocations');
        expect(records.map(({ key }) => key)).toContain(`${gateways.identity.did} ${tokenId(token)}`);
      }, WAIT);
    });

    test('F18: a node that is stopped under load drains, and its acknowledged messages are on the other node', async () => {
      const leaving = await gateways.start('leaving');
      const [publisher, watcher] = await Promise.all([gateways.connect(leaving), gateways.connect(leaving)]);
      await subscribe(watcher, 'system', 'load.*');
      const acknowledged: { readonly id: string; readonly topic: string }[] = [];
      let loading = true;
      const load = (async () => {
        for (let n = 0; loading; n++) {
          const id = `n${String(n).padStart(6, '0')}`;
          const topic = `load.${n % 5}`;
          void publisher.call('publish', { channel: 'system', topic, message: n, id }).then(
            ({ error }) => {
              if (error === undefined) acknowledged.push({ id, topic });
            },
            () => undefined,
          );
          await sleep(2);
        }
      })();
      await watcher.until(() => messagesOf(watcher).length > 200);
      const began = performance.now();
      const [code, { code: closed }] = await Promise.all([leaving.stop(), watcher.closed]);
      loading = false;
      await load;
      expect(code).toBe(0);
      // The promise itself is a time.
      expect(performance.now() - began).toBeLessThan(10_000);
      expect(closed).toBe(1001);

      const seen = messagesOf(watcher);
      const next = await gateways.connect(b);
      await subscribe(next, 'system', 'load.*', { position: seen.at(-1)?.position });
      await next.until(() => next.notices.some(({ method }) => method === 'replayed'));
      const got = [...seen, ...messagesOf(next)];
      expect(acknowledged.length).toBeGreaterThan(200);
      expect(check(acknowledged, got)).toEqual({ lost: [], reordered: [], doubled: 0 });
    });
  },
);

const ALL = { with: '*', can: '*' };
