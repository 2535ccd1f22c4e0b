import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { kafkaUnavailable, type RunningKafka, startKafka } from '../../../tools/kafka/index.ts';
import { freshPrefix, Nodes, outgoing, Received } from './support/nodes.ts';
import { outsideClient } from './support/outside.ts';

const reason = kafkaUnavailable();
const WAIT = { timeout: 20_000 };

describe.skipIf(reason !== undefined)(
  `a transaction of another Kafka client${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let kafka: RunningKafka;
    const nodes = new Nodes();

    beforeAll(async () => {
      kafka = await startKafka();
    }, 120_000);
    afterEach(() => nodes.closeAll());
    afterAll(() => kafka?.stop());

    test.each([
      { driver: 'kafkajs', end: 'committed', delivered: ['from-outside', 'behind-it'] },
      { driver: 'platformatic', end: 'committed', delivered: ['from-outside', 'behind-it'] },
      { driver: 'kafkajs', end: 'aborted', delivered: ['behind-it'] },
      { driver: 'platformatic', end: 'aborted', delivered: ['behind-it'] },
    ] as const)(
      'holds its partition back, which shows as lag, until it is $end ($driver)',
      async ({ driver, end, delivered }) => {
        const topicPrefix = freshPrefix();
        const node = nodes.open({ brokers: kafka.bootstrap, driver, topicPrefix, partitions: 1 });
        const received = new Received();
        node.tail('system', received.take);
        await node.append('system', outgoing('before'));
        await received.count(1);
        await vi.waitFor(() => expect(node.stats().lag.get('system')).toBe(0), WAIT);

        const producer = outsideClient(kafka.bootstrap).producer({
          transactionalId: `outside-${topicPrefix}`,
          maxInFlightRequests: 1,
          idempotent: true,
        });
        await producer.connect();
        try {
          const transaction = await producer.transaction();
          const headers = { ce_id: 'from-outside' };
          await transaction.send({
            topic: `${topicPrefix}system`,
            messages: [{ key: 'a.b', value: '1', headers }],
          });
          // Acknowledged, and behind the transaction in the same partition.
          await node.append('system', outgoing('behind-it'));
          await vi.waitFor(() => expect(node.stats().lag.get('system')).toBe(2), WAIT);
          expect(received.ids).toEqual(['before']);

          if (end === 'committed') await transaction.commit();
          else await transaction.abort();
          await vi.waitFor(() => expect(received.ids).toEqual(['before', ...delivered]), WAIT);
          await vi.waitFor(() => expect(node.stats().lag.get('system')).toBe(0), WAIT);
        } finally {
          await producer.disconnect();
        }
      },
      60_000,
    );
  },
);
