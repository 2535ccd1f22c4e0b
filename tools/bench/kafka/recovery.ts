// Contestant of the recovery bench: `node recovery.ts kafkajs|platformatic`. Kills its Kafka with SIGKILL, starts it
// again, and measures the time until the first publish is acknowledged.
import { setTimeout as sleep } from 'node:timers/promises';
import { createKafkaBroker } from '@esdb-gater/broker-kafka';
import { startKafka } from '../../kafka/index.ts';
import { consume } from './bare-client.ts';
import type { DriverName } from './gateway-process.ts';
import { outgoing } from './outgoing.ts';
import { fail, until } from './waiting.ts';

const EVERY_MS = 5;
const PREFIX = 'bench_recovery_';
const [driver = 'kafkajs'] = process.argv.slice(2);

const kafka = await startKafka();
const [server] = kafka.brokers;
if (server === undefined) throw new Error('the brokers of KAFKA_BROKERS are not ours to kill');
const broker = createKafkaBroker(
  {},
  { brokers: kafka.bootstrap, driver: driver as DriverName, topicPrefix: PREFIX },
);
const acknowledged = new Map<number, number>();
const pending = new Set<Promise<void>>();
let next = 0;

await publish(next++);
const timer = setInterval(() => {
  const one = publish(next++).finally(() => pending.delete(one));
  pending.add(one);
}, EVERY_MS);
await sleep(1_000);
await server.kill9();
const killedAt = performance.now();
await server.restart();
const servedAt = performance.now();
// Whoever is acknowledged before the line in its log was seen was served without any delay that can be measured.
await until('a publish is acknowledged again', () => firstAfter(killedAt) !== undefined, 60_000);
const recoveredAt = firstAfter(killedAt) ?? Number.NaN;
await sleep(500);
clearInterval(timer);
await Promise.all(pending);
await broker.close();
await check();
await kafka.stop();
process.stdout.write(
  `${JSON.stringify({
    outageMs: servedAt - killedAt,
    recoveryMs: Math.max(0, recoveredAt - servedAt),
    acknowledged: acknowledged.size,
    refused: next - acknowledged.size,
  })}\n`,
);
process.exit(0);

async function publish(sequence: number): Promise<void> {
  try {
    await broker.append('system', outgoing(sequence));
    acknowledged.set(sequence, performance.now());
  } catch {
    // Refused because of the outage: it may or may not be stored.
  }
}

function firstAfter(time: number): number | undefined {
  const later = [...acknowledged.values()].filter((at) => at > time);
  return later.length === 0 ? undefined : Math.min(...later);
}

/** Acknowledged messages are stored; duplicates were sent twice, and their first occurrences are in order. */
async function check(): Promise<void> {
  const seen = new Set<number>();
  const missing = new Set(acknowledged.keys());
  const latest = new Map<string, number>();
  const reader = await consume(
    kafka.bootstrap,
    `${PREFIX}system`,
    (sequence) => {
      missing.delete(sequence);
      if (seen.has(sequence)) return;
      seen.add(sequence);
      const { topic } = outgoing(sequence);
      if (sequence < (latest.get(topic) ?? -1)) fail(new Error(`${sequence} came late in ${topic}`));
      latest.set(topic, sequence);
    },
    fail,
  );
  await until('every acknowledged message is stored', () => missing.size === 0, 20_000);
  await reader.disconnect();
}
