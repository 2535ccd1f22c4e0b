// Contestant of the latency bench: `node latency.ts kafkajs|platformatic|bare|beside BOOTSTRAP SECONDS`. Publishes
// messages at an even rate and measures the time until they are received, after two seconds of warm-up.
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { openGateway } from '../fanout/systems/esdb-gater.ts';
import { machineTicks } from '../lib/child.ts';
import { consume, createTopic, openProducer, recordOf } from './bare-client.ts';
import { gater } from './dialects.ts';
import { type DriverName, startKafkaGateway } from './gateway-process.ts';
import { openSubscriber } from './lean-subscriber.ts';
import { messageOf, Receiver, topicOf } from './messages.ts';
import { fail, pace, until, whenReady } from './waiting.ts';

const PER_SECOND = 1_000;
/** Enough to be measured, but little compared to the work of the gateways. */
const PER_SECOND_BESIDE = 200;
const WARM_UP_SECONDS = 2;
/** How much longer the gateways go on than who is measured beside them. */
const MARGIN_SECONDS = 5;
const SUBSCRIBERS = 100;
const PARTITIONS = 4;
const RECEIVED_WITHIN_MS = 20_000;

const [kind = '', bootstrap = '', seconds = '5'] = process.argv.slice(2);
const perSecond = kind === 'beside' ? PER_SECOND_BESIDE : PER_SECOND;
const warmUp = WARM_UP_SECONDS * perSecond;
const total = warmUp + Number(seconds) * perSecond;
const sentAt = new Float64Array(total);
const tookMs: number[] = [];
let before = machineTicks();
let after = before;
// The caller no longer needs this load.
process.once('disconnect', () => process.exit(0));

if (kind === 'bare') await bare(async () => async () => undefined);
else if (kind === 'beside') await bare(busyGateways);
else await gateways(kind as DriverName);
tookMs.sort((a, b) => a - b);
const percentile = (share: number): number => tookMs[Math.ceil(tookMs.length * share) - 1] as number;
const machinePercent = ((after.busy - before.busy) / (after.all - before.all)) * 100;
process.stdout.write(
  `${JSON.stringify({ p50Ms: percentile(0.5), p99Ms: percentile(0.99), machinePercent })}\n`,
);
process.exit(0);

function took(receiver: Receiver, sequence: number): void {
  if (receiver.take(sequence) && sequence >= warmUp) {
    tookMs.push(performance.now() - (sentAt[sequence] as number));
  }
}

/** Published at A over WebSocket, received by 100 subscribers at B. */
async function gateways(driver: DriverName): Promise<void> {
  const topicPrefix = 'bench_latency_';
  await createTopic(bootstrap, `${topicPrefix}system`, PARTITIONS);
  const [a, b] = await Promise.all([
    startKafkaGateway({ name: 'a', bootstrap, topicPrefix, driver }),
    startKafkaGateway({ name: 'b', bootstrap, topicPrefix, driver }),
  ]);
  const receivers = Array.from({ length: SUBSCRIBERS }, (_, index) => new Receiver(`subscriber ${index}`));
  const subscribers = await Promise.all(
    receivers.map((receiver) => openSubscriber(b.url, gater, (sequence) => took(receiver, sequence))),
  );
  const publisher = await openGateway(a.url);
  await whenReady(receivers, (topic, message) => publisher.publish(topic, JSON.stringify(message)));
  before = machineTicks();
  process.send?.('pacing');
  await pace(perSecond, total, (from, end) => {
    for (let sequence = from; sequence < end; sequence += 1) {
      sentAt[sequence] = performance.now();
      publisher.publish(topicOf(sequence), JSON.stringify(messageOf(sequence))).catch(fail);
    }
  });
  await until(
    'every subscriber gets every message',
    () => receivers.every(({ count }) => count === total),
    RECEIVED_WITHIN_MS,
  );
  after = machineTicks();
  for (const subscriber of subscribers) subscriber.close();
  publisher.close();
  await Promise.all([a.stop(), b.stop()]);
}

/** Starts two gateways with their load in a separate process; resolves to a function that stops it. */
async function busyGateways(): Promise<() => Promise<void>> {
  const longer = String(WARM_UP_SECONDS + Number(seconds) + MARGIN_SECONDS);
  const load = fork(import.meta.filename, ['kafkajs', bootstrap, longer], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: process.execArgv,
  });
  load.once('exit', (code) => {
    if (code !== 0) fail(new Error(`the gateways beside ended with ${code}`));
  });
  await once(load, 'message');
  return async () => {
    const exited = once(load, 'exit');
    load.disconnect();
    await exited;
  };
}

/**
 * Measures the client without gateways, which produces due messages in one request and consumes them in the same
 * process.
 *
 * @param meanwhile a load that must run before the first message
 */
async function bare(meanwhile: () => Promise<() => Promise<void>>): Promise<void> {
  const run = randomUUID();
  const topic = `bench_bare_${run}`;
  await createTopic(bootstrap, topic, PARTITIONS);
  const receiver = new Receiver('the bare consumer');
  const consumer = await consume(bootstrap, topic, (sequence) => took(receiver, sequence), fail);
  const producer = await openProducer(bootstrap);
  await whenReady([receiver], (key, message) =>
    producer.send({ topic, acks: -1, messages: [{ key, value: JSON.stringify(message) }] }),
  );
  const end = await meanwhile();
  before = machineTicks();
  await pace(perSecond, total, (from, end) => {
    const messages = [];
    for (let sequence = from; sequence < end; sequence += 1) {
      sentAt[sequence] = performance.now();
      messages.push(recordOf(run, sequence));
    }
    producer.send({ topic, acks: -1, messages }).catch(fail);
  });
  await until('the consumer gets every message', () => receiver.count === total, RECEIVED_WITHIN_MS);
  after = machineTicks();
  await Promise.all([producer.disconnect(), consumer.disconnect(), end()]);
}
