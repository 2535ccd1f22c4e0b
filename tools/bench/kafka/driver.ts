// Contestant of the drivers' bench: `node driver.ts kafkajs|platformatic BOOTSTRAP DURATION_MS`. Measures an idle
// broker, then acknowledged publishes in bulk, which another client verifies before a figure is reported.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createKafkaBroker } from '@esdb-gater/broker-kafka';
import { CHANNEL_NAMES } from '@esdb-gater/types';
import { cpuSeconds } from '../lib/child.ts';
import { consume, countRecords } from './bare-client.ts';
import type { DriverName } from './gateway-process.ts';
import { Receiver } from './messages.ts';
import { outgoing } from './outgoing.ts';
import { fail, until } from './waiting.ts';

const IN_FLIGHT = 2_000;
const WARM_UP = 5_000;
const SETTLE_MS = 1_000;
const IDLE_MS = 3_000;
const READ_WITHIN_MS = 60_000;

const [driver = 'kafkajs', bootstrap = '', durationMs = '3000'] = process.argv.slice(2);
const idle = await idleCpu();
const bulk = await publishInBulk();
process.stdout.write(`${JSON.stringify({ ...idle, ...bulk })}\n`);
process.exit(0);

/** Measures the cost of a node that tails all ten channels without messages. */
async function idleCpu(): Promise<Record<string, number>> {
  const broker = open('bench_idle_');
  for (const channel of CHANNEL_NAMES) broker.tail(channel, () => undefined);
  await Promise.all(CHANNEL_NAMES.map((channel) => broker.position(channel)));
  await sleep(SETTLE_MS);
  const before = cpuSeconds(process.pid);
  await sleep(IDLE_MS);
  const idlePercent = ((cpuSeconds(process.pid) - before) / (IDLE_MS / 1_000)) * 100;
  await broker.close();
  return { idlePercent };
}

async function publishInBulk(): Promise<Record<string, number>> {
  const prefix = `bench_bulk_${randomUUID()}_`;
  const broker = open(prefix);
  let next = 0;
  const publish = async (isOver: () => boolean): Promise<void> => {
    const one = async (): Promise<void> => {
      while (!isOver()) await broker.append('system', outgoing(next++));
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, one));
  };
  await publish(() => next >= WARM_UP);
  const first = next;
  const before = cpuSeconds(process.pid);
  const startedAt = performance.now();
  await publish(() => performance.now() - startedAt >= Number(durationMs));
  const seconds = (performance.now() - startedAt) / 1_000;
  const cpu = cpuSeconds(process.pid) - before;
  await broker.close();
  await check(`${prefix}system`, next);
  return { acknowledgedPerSecond: (next - first) / seconds, cpuMicros: (cpu * 1e6) / (next - first) };
}

/** Checks with another client that all records are stored once and in order. */
async function check(topic: string, published: number): Promise<void> {
  const records = await countRecords(bootstrap, topic);
  if (records !== published) throw new Error(`the topic must have ${published} records, got ${records}`);
  const receiver = new Receiver('the outside reader');
  const reader = await consume(bootstrap, topic, (sequence) => void receiver.take(sequence), fail);
  await until('the reader gets every record', () => receiver.count === published, READ_WITHIN_MS);
  await reader.disconnect();
}

function open(topicPrefix: string) {
  return createKafkaBroker({}, { brokers: bootstrap, driver: driver as DriverName, topicPrefix });
}
