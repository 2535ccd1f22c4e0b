// Contestant of the latency bench: `node latency.ts kafkajs|platformatic|bare BOOTSTRAP MEASURED`. Publishes
// 1 000 messages a second and says how long they took until they were received, after two seconds that do not count.
import { randomUUID } from 'node:crypto';
import { openGateway } from '../fanout/clients.ts';
import { machineTicks } from '../lib/child.ts';
import { consume, createTopic, openProducer, recordOf } from './bare-client.ts';
import { gater } from './dialects.ts';
import { type DriverName, startGateway } from './gateway-process.ts';
import { openSubscriber } from './lean-subscriber.ts';
import { messageOf, Receiver, topicOf } from './messages.ts';
import { fail, pace, until, whenReady } from './waiting.ts';

const PER_SECOND = 1_000;
const WARM_UP = 2_000;
const SUBSCRIBERS = 100;
const PARTITIONS = 4;
const RECEIVED_WITHIN_MS = 20_000;

const [kind = '', bootstrap = '', measured = '3000'] = process.argv.slice(2);
const total = WARM_UP + Number(measured);
const sentAt = new Float64Array(total);
const tookMs: number[] = [];
let before = machineTicks();

await (kind === 'bare' ? bare() : gateways(kind as DriverName));
tookMs.sort((a, b) => a - b);
const percentile = (share: number): number => tookMs[Math.ceil(tookMs.length * share) - 1] as number;
const after = machineTicks();
const machinePercent = ((after.busy - before.busy) / (after.all - before.all)) * 100;
process.stdout.write(
  `${JSON.stringify({ p50Ms: percentile(0.5), p99Ms: percentile(0.99), machinePercent })}\n`,
);
process.exit(0);

function took(receiver: Receiver, sequence: number): void {
  if (receiver.take(sequence) && sequence >= WARM_UP) {
    tookMs.push(performance.now() - (sentAt[sequence] as number));
  }
}

/** Published at A over WebSocket, received by 100 subscribers at B. */
async function gateways(driver: DriverName): Promise<void> {
  const topicPrefix = 'bench_latency_';
  await createTopic(bootstrap, `${topicPrefix}system`, PARTITIONS);
  const [a, b] = await Promise.all([
    startGateway({ name: 'a', bootstrap, topicPrefix, driver }),
    startGateway({ name: 'b', bootstrap, topicPrefix, driver }),
  ]);
  const receivers = Array.from({ length: SUBSCRIBERS }, (_, index) => new Receiver(`subscriber ${index}`));
  const subscribers = await Promise.all(
    receivers.map((receiver) => openSubscriber(b.url, gater, (sequence) => took(receiver, sequence))),
  );
  const publisher = await openGateway(a.url);
  await whenReady(receivers, (topic, message) => publisher.publish(topic, message));
  before = machineTicks();
  await pace(PER_SECOND, total, (from, end) => {
    for (let sequence = from; sequence < end; sequence += 1) {
      sentAt[sequence] = performance.now();
      publisher.publish(topicOf(sequence), messageOf(sequence)).catch(fail);
    }
  });
  await until(
    'every subscriber gets every message',
    () => receivers.every(({ count }) => count === total),
    RECEIVED_WITHIN_MS,
  );
  for (const subscriber of subscribers) subscriber.close();
  publisher.close();
  await Promise.all([a.stop(), b.stop()]);
}

/** The client alone, which produces what is due in one request and consumes it in the same process. */
async function bare(): Promise<void> {
  const run = randomUUID();
  const topic = `bench_bare_${run}`;
  await createTopic(bootstrap, topic, PARTITIONS);
  const receiver = new Receiver('the bare consumer');
  const consumer = await consume(bootstrap, topic, (sequence) => took(receiver, sequence), fail);
  const producer = await openProducer(bootstrap);
  await whenReady([receiver], (key, message) =>
    producer.send({ topic, acks: -1, messages: [{ key, value: JSON.stringify(message) }] }),
  );
  before = machineTicks();
  await pace(PER_SECOND, total, (from, end) => {
    const messages = [];
    for (let sequence = from; sequence < end; sequence += 1) {
      sentAt[sequence] = performance.now();
      messages.push(recordOf(run, sequence));
    }
    producer.send({ topic, acks: -1, messages }).catch(fail);
  });
  await until('the consumer gets every message', () => receiver.count === total, RECEIVED_WITHIN_MS);
  await Promise.all([producer.disconnect(), consumer.disconnect()]);
}
