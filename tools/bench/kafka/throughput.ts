// Contestant of the throughput bench: `node throughput.ts gateway|centrifugo|bare BOOTSTRAP PARTITIONS RECORDS`.
// Another process writes records at full speed, never more than a window ahead of the slowest reader; the CPU figure is
// only that of the reader.
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { cpuSeconds } from '../lib/child.ts';
import type { ServerProcess } from '../lib/server-process.ts';
import { consume, createTopic, openProducer } from './bare-client.ts';
import { startKafkaCentrifugo } from './centrifugo.ts';
import { centrifugo, type Dialect, gater } from './dialects.ts';
import { startKafkaGateway } from './gateway-process.ts';
import { openSubscriber } from './lean-subscriber.ts';
import { Receiver } from './messages.ts';
import { fail, until, whenReady } from './waiting.ts';

const SUBSCRIBERS = 100;
const WINDOW = 2_000;
const WARM_UP = 5_000;
const WITHIN_MS = 120_000;

const [kind = '', bootstrap = '', partitions = '', records = '30000'] = process.argv.slice(2);
const run = randomUUID();

const figures = await (kind === 'bare' ? bare() : kind === 'centrifugo' ? peer() : gateway());
process.stdout.write(`${JSON.stringify(figures)}\n`);
process.exit(0);

async function gateway(): Promise<Record<string, number>> {
  const topicPrefix = `bench_${partitions}_`;
  const topic = `${topicPrefix}system`;
  await createTopic(bootstrap, topic, Number(partitions));
  const node = await startKafkaGateway({ name: 'tail', bootstrap, topicPrefix, driver: 'kafkajs' });
  return measureServer(node, gater, topic);
}

/** Centrifugo with its Kafka consumer, the same subscribers and the same records. */
async function peer(): Promise<Record<string, number>> {
  const topic = `bench_centrifugo_${run}`;
  await createTopic(bootstrap, topic, Number(partitions));
  return measureServer(await startKafkaCentrifugo(bootstrap, topic), centrifugo, topic);
}

async function measureServer(
  server: ServerProcess,
  dialect: Dialect,
  topic: string,
): Promise<Record<string, number>> {
  const receivers = Array.from({ length: SUBSCRIBERS }, (_, index) => new Receiver(`subscriber ${index}`));
  const subscribers = await Promise.all(
    receivers.map((receiver) =>
      openSubscriber(server.url, dialect, (sequence) => void receiver.take(sequence)),
    ),
  );
  const result = await measure(topic, receivers, server.pid);
  for (const subscriber of subscribers) subscriber.close();
  await server.stop();
  return result;
}

async function bare(): Promise<Record<string, number>> {
  const topic = `bench_bare_${run}`;
  await createTopic(bootstrap, topic, Number(partitions));
  const receiver = new Receiver('the bare consumer');
  const consumer = await consume(bootstrap, topic, (sequence) => void receiver.take(sequence), fail);
  const result = await measure(topic, [receiver], process.pid);
  await consumer.disconnect();
  return result;
}

async function measure(
  topic: string,
  receivers: readonly Receiver[],
  pid: number,
): Promise<Record<string, number>> {
  const prober = await openProducer(bootstrap);
  await whenReady(receivers, (key, message) =>
    prober.send({
      topic,
      messages: [{ key, value: JSON.stringify(message), headers: { 'centrifugo-channels': key } }],
    }),
  );
  await prober.disconnect();
  const producer = await startProducer(topic);
  await drive(producer, receivers, WARM_UP);
  const cpuBefore = cpuSeconds(pid);
  const startedAt = performance.now();
  await drive(producer, receivers, WARM_UP + Number(records));
  const seconds = (performance.now() - startedAt) / 1_000;
  const cpu = cpuSeconds(pid) - cpuBefore;
  producer.disconnect();
  return {
    recordsPerSecond: Number(records) / seconds,
    cpuMicros: (cpu * 1e6) / Number(records),
    cpuPercent: (cpu / seconds) * 100,
  };
}

/** Lets the producer go on until every receiver has `total` messages. */
async function drive(producer: ChildProcess, receivers: readonly Receiver[], total: number): Promise<void> {
  let granted = 0;
  await until(
    'every receiver gets every record',
    () => {
      const slowest = receivers.reduce((least, { count }) => Math.min(least, count), total);
      const grant = Math.min(total, slowest + WINDOW);
      if (grant !== granted) producer.send(grant);
      granted = grant;
      return slowest === total;
    },
    WITHIN_MS,
  );
}

async function startProducer(topic: string): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'producer.ts'), [bootstrap, topic, run], {
    execArgv: ['--disable-warning=TimeoutNegativeWarning'],
  });
  child.once('exit', (code) => {
    if (code !== 0) fail(new Error(`the producer ended with ${code}`));
  });
  await once(child, 'message');
  return child;
}
