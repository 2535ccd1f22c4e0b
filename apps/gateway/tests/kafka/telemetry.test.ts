import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { outsideClient, readOutside } from '../../../../packages/broker-kafka/tests/support/outside.ts';
import { kafkaUnavailable, type RunningKafka, startKafka } from '../../../../tools/kafka/index.ts';
import { expositionFaults } from '../support/exposition.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { Gateways, messagesOf, metric, subscribe } from './support/gateways.ts';

const reason = kafkaUnavailable();
const WAIT = { timeout: 30_000, interval: 100 };
const [PRODUCER, CONSUMER] = [4, 5];

describe.skipIf(reason !== undefined)(
  `traces over one real broker${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let kafka: RunningKafka;
    const receivers: OtlpReceiver[] = [];
    const nodes: GatewayProcess[] = [];
    const gateways = new Gateways(() => kafka.bootstrap);

    beforeAll(async () => {
      kafka = await startKafka();
      for (const name of ['a', 'b']) {
        const receiver = await startOtlpReceiver();
        receivers.push(receiver);
        const env = {
          OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
          OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
          OTEL_BSP_SCHEDULE_DELAY: '100',
          OTEL_METRIC_EXPORT_INTERVAL: '500',
        };
        nodes.push(await gateways.start(name, {}, [], env));
      }
    }, 180_000);
    afterAll(async () => {
      await gateways.close();
      for (const receiver of receivers) await receiver.close();
      await kafka?.stop();
    });

    test('a publish is linked to its delivery on each node, and its header contains the trace', async () => {
      const clients = await Promise.all(nodes.map((node) => gateways.connect(node)));
      for (const client of clients) await subscribe(client, 'system', 'traced.*');
      const [publisher] = clients;
      const traceId = 'a'.repeat(32);
      publisher?.send({
        jsonrpc: '2.0',
        id: 'traced',
        method: 'publish',
        params: { channel: 'system', topic: 'traced.one', message: 1 },
        traceparent: `00-${traceId}-${'b'.repeat(16)}-01`,
      });
      for (const client of clients) await client.until(() => messagesOf(client).length > 0);

      const sent = await vi.waitFor(() => {
        const span = receivers[0]?.spans.find(
          ({ kind, ...one }) => kind === PRODUCER && one.traceId === traceId,
        );
        if (span === undefined) throw new Error('no PRODUCER span');
        return span;
      }, WAIT);
      expect(sent.attributes['messaging.system']).toBe('kafka');
      for (const receiver of receivers) {
        await vi.waitFor(() => {
          const delivered = receiver.spans.filter(({ kind }) => kind === CONSUMER);
          expect(delivered).toMatchObject([
            {
              traceId,
              parentSpanId: sent.spanId,
              links: [{ traceId, spanId: sent.spanId }],
              attributes: { 'esdb_gater.recipient.count': 1 },
            },
          ]);
        }, WAIT);
      }
      const [record] = await readOutside(kafka.bootstrap, `${gateways.topicPrefix}system`);
      expect(record?.headers['traceparent']).toBe(`00-${traceId}-${sent.spanId}-01`);
    });

    test('the lag of a channel, the queue to Kafka and dead letters are metrics', async () => {
      const producer = outsideClient(kafka.bootstrap).producer();
      await producer.connect();
      await producer.send({
        topic: `${gateways.topicPrefix}metrics`,
        messages: [{ key: 'a', value: 'no JSON', headers: { traceparent: `00-${'0'.repeat(32)}-junk-01` } }],
      });
      await producer.disconnect();
      await vi.waitFor(async () => {
        const series = 'esdb_gater_dead_letters_total{channel="metrics"}';
        const counts = await Promise.all(nodes.map((node) => metric(node, series)));
        expect(Math.max(...counts)).toBe(1);
        const names = new Set(receivers.flatMap(({ points }) => points.map((point) => point.metric)));
        expect([...names]).toEqual(
          expect.arrayContaining([
            'esdb_gater.dead_letters',
            'esdb_gater.channel.lag',
            'esdb_gater.broker.queue',
            'esdb_gater.broker.queue.bytes',
            'esdb_gater.broker.duplicates',
            'esdb_gater.broker.leaderless_partitions',
          ]),
        );
      }, WAIT);
      for (const { http } of nodes) {
        expect(expositionFaults(await (await fetch(`${http}/metrics`)).text())).toEqual([]);
      }
    });
  },
);
