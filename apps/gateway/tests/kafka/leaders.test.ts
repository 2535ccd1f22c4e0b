import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { check } from '../../../../packages/broker-kafka/tests/support/load.ts';
import { leaderOf, messagesOutside } from '../../../../packages/broker-kafka/tests/support/outside.ts';
import { kafkaUnavailable, type RunningKafka, startKafka } from '../../../../tools/kafka/index.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { Gateways, messagesOf, readiness, subscribe } from './support/gateways.ts';
import { startLoad } from './support/load.ts';

const external = (process.env['KAFKA_BROKERS'] ?? '') !== '';
const reason = external ? 'the brokers of KAFKA_BROKERS are not ours to kill' : kafkaUnavailable();
const KILLS = process.env['ESDB_GATER_FAULTS'] === '1' ? 6 : 1;
const WAIT = { timeout: 60_000, interval: 50 };

describe.skipIf(reason !== undefined)(
  `gateways over three real brokers${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let kafka: RunningKafka;
    let a: GatewayProcess;
    let b: GatewayProcess;
    const gateways = new Gateways(() => kafka.bootstrap);

    beforeAll(async () => {
      kafka = await startKafka({ brokers: 3 });
      [a, b] = await Promise.all([
        gateways.start('a', { default: { engine: 'sqlite' } }),
        gateways.start('b', {}, ['--kafka-driver', 'platformatic']),
      ]);
    }, 180_000);
    afterAll(async () => {
      await gateways.close();
      await kafka?.stop();
    });

    test(
      'F9: a leader is killed under load: acknowledged records are neither lost nor reordered, and clients stay connected',
      async () => {
        const topic = `${gateways.topicPrefix}system`;
        const publishers = await Promise.all([gateways.connect(a), gateways.connect(b)]);
        const subscribers = await Promise.all([gateways.connect(a), gateways.connect(b)]);
        for (const client of subscribers) {
          await subscribe(client, 'system', 'load.*');
          await subscribe(client, 'events', 'default.led.*');
        }
        const loads = publishers.map((client, n) => startLoad(client, `from-${n}-`));
        let appended = 0;
        const append = async (): Promise<void> => {
          const events = [{ type: 'counted', data: appended }];
          const params = { storeId: 'default', streamId: 'led', expectedVersion: appended - 1, events };
          expect((await publishers[0]?.call('appendEvents', params))?.error).toBeUndefined();
          appended += 1;
        };
        for (let kill = 0; kill < KILLS; kill++) {
          await all(loads.map((load) => load.more(200)));
          const leading = await leaderOf(kafka.bootstrap, topic);
          const leader = kafka.brokers.find(({ nodeId }) => nodeId === leading);
          await leader?.kill9();
          for (let n = 0; n < 20; n++) {
            await append();
            await sleep(200);
          }
          // Two of three brokers are enough: publishing continues.
          await all(loads.map((load) => load.more(200)));
          await leader?.restart();
          for (const node of [a, b]) {
            await vi.waitFor(async () => expect((await readiness(node)).status).toBe(200), WAIT);
          }
        }
        await all(loads.map((load) => load.stop()));
        const acknowledged = loads.flatMap((load) => load.acknowledged);
        const inKafka = check(acknowledged, await messagesOutside(kafka.bootstrap, topic));
        expect({ lost: inKafka.lost, reordered: inKafka.reordered }).toEqual({ lost: [], reordered: [] });
        for (const client of subscribers) {
          const of = (channel: string) => messagesOf(client).filter((one) => one.channel === channel);
          await client.until(() => check(acknowledged, of('system')).lost.length === 0);
          expect(check(acknowledged, of('system'))).toEqual({ lost: [], reordered: [], doubled: 0 });
          await client.until(() => of('events').length >= appended);
          expect(of('events').map(({ message }) => (message as { version: number }).version)).toEqual(
            Array.from({ length: appended }, (_, n) => n),
          );
        }
        const refused = loads.reduce((sum, load) => sum + load.refused.length, 0);
        process.stdout.write(
          `gateways: ${KILLS} leaders killed, ${acknowledged.length} acknowledged, ${refused} refused, 0 lost, 0 reordered, ${inKafka.doubled} twice in Kafka\n`,
        );
      },
      KILLS * 60_000 + 60_000,
    );
  },
);

function all(promises: readonly Promise<void>[]): Promise<unknown> {
  return Promise.all(promises);
}
