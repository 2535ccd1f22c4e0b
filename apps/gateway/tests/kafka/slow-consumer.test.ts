import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kafkaUnavailable, type RunningKafka, startKafka } from '../../../../tools/kafka/index.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import type { RawClient } from '../support/raw-client.ts';
import { Gateways, messagesOf, metric, subscribe } from './support/gateways.ts';

const reason = kafkaUnavailable();
const SUBSCRIBERS = 100;
/** Messages that are published together, and after how many it must have been closed. */
const BURST = 50;
const MOST = 5_000;
const MESSAGE_BYTES = 8_000;
const QUEUE_BYTES = 262_144;
const MIB = 1_048_576;
const CLOSED_TOO_SLOW = 'esdb_gater_connections_closed_total{code="4008"}';

describe.skipIf(reason !== undefined)(
  `one slow consumer in a hundred, over Kafka${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let kafka: RunningKafka;
    let a: GatewayProcess;
    let b: GatewayProcess;
    const gateways = new Gateways(() => kafka.bootstrap);

    beforeAll(async () => {
      kafka = await startKafka();
      [a, b] = await Promise.all([
        gateways.start('a'),
        gateways.start('b', {}, ['--limits-queue-bytes', `${QUEUE_BYTES}`]),
      ]);
    }, 180_000);
    afterAll(async () => {
      await gateways.close();
      await kafka?.stop();
    });

    test('F12: the others get everything meanwhile; it is closed with 4008, and resumes from its position', async () => {
      const publisher = await gateways.connect(a);
      const [slow, ...others] = await Promise.all(
        Array.from({ length: SUBSCRIBERS }, () => gateways.connect(b)),
      );
      if (slow === undefined) throw new Error('there is no subscriber');
      await Promise.all([slow, ...others].map((client) => subscribe(client, 'system', 'flood.*')));
      await publish(publisher, 0, 10);
      await slow.until(() => messagesOf(slow).length === 10);
      const rss = await metric(b, 'process_resident_memory_bytes');
      slow.socket.pause();

      let sent = 10;
      for (; (await metric(b, CLOSED_TOO_SLOW)) === 0; sent += BURST) {
        if (sent > MOST) throw new Error(`it was not closed after ${sent} messages`);
        await publish(publisher, sent, sent + BURST);
        // They keep up while it is paused.
        for (const client of others) await client.until(() => messagesOf(client).length >= sent + BURST);
      }
      expect((await metric(b, 'process_resident_memory_bytes')) - rss).toBeLessThan(200 * MIB);
      slow.socket.resume();
      expect((await slow.closed).code).toBe(4008);
      const seen = numbers(slow);
      expect(seen.length).toBeLessThan(sent);

      const again = await gateways.connect(b);
      await subscribe(again, 'system', 'flood.*', { position: messagesOf(slow).at(-1)?.position });
      await publish(publisher, sent, sent + BURST);
      sent += BURST;
      await again.until(() => seen.length + messagesOf(again).length >= sent);
      expect(inTopics([...seen, ...numbers(again)])).toEqual(inTopics(upTo(sent)));
      for (const client of others) {
        await client.until(() => messagesOf(client).length >= sent);
        expect(inTopics(numbers(client))).toEqual(inTopics(upTo(sent)));
      }
    }, 120_000);
  },
);

const TOPICS = 3;

async function publish(client: RawClient, from: number, end: number): Promise<void> {
  const padding = 'x'.repeat(MESSAGE_BYTES);
  const answers = await Promise.all(
    upTo(end)
      .slice(from)
      .map((n) =>
        client.call('publish', {
          channel: 'system',
          topic: `flood.${n % TOPICS}`,
          message: { n, padding },
        }),
      ),
  );
  expect(answers.filter(({ error }) => error !== undefined)).toEqual([]);
}

function numbers(client: RawClient): number[] {
  return messagesOf(client).map(({ message }) => (message as { readonly n: number }).n);
}

function upTo(end: number): number[] {
  return Array.from({ length: end }, (_, n) => n);
}

/** Order is kept within a topic. */
function inTopics(all: readonly number[]): number[][] {
  return Array.from({ length: TOPICS }, (_, topic) => all.filter((n) => n % TOPICS === topic));
}
