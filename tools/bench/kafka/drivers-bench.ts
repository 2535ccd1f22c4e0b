import { writeSection } from '../lib/results.ts';
import { interleave } from '../lib/rounds.ts';
import { figure } from '../lib/statistics.ts';
import { cell, contestant } from './sections.ts';

const DURATION_MS = 3_000;
const DRIVERS = ['kafkajs', 'platformatic'] as const;

/** The two drivers behind the same broker of ours. */
export async function benchDrivers(
  bootstrap: string,
  rounds: number,
): Promise<(recovery: ReadonlyMap<string, Readonly<Record<string, number>>>) => void> {
  const figures = await interleave(
    'the two drivers',
    DRIVERS.map((driver) => contestant(driver, 'driver.ts', [driver, bootstrap, `${DURATION_MS}`])),
    rounds,
  );
  return (recovery) =>
    writeSection(
      'Kafka: the two drivers',
      [
        'Through `createKafkaBroker`, one broker, 4 partitions, 16 topics. Bulk: 128-byte messages, acks=all, 2 000 in flight; another client then found each once and in order within its topic. Idle: a node that tails all ten channels without messages, 3 s.',
        'Recovery, once for each driver: 200 publishes a second, `kill -9` of the broker, and the time from the moment when it serves again to the first acknowledged publish; every acknowledged message lay there, in order within its topic.',
      ],
      ['driver', 'acknowledged/s', 'CPU per message, µs', 'idle CPU, %', 'recovery, ms', 'outage, ms'],
      DRIVERS.map((driver) => [
        driver,
        cell(figures, driver, 'acknowledgedPerSecond'),
        cell(figures, driver, 'cpuMicros'),
        cell(figures, driver, 'idlePercent'),
        once(recovery.get(driver)?.['recoveryMs']),
        once(recovery.get(driver)?.['outageMs']),
      ]),
    );
}

/** Each driver is thrown once into an outage of a Kafka that it starts itself. */
export async function measureRecovery(): Promise<ReadonlyMap<string, Readonly<Record<string, number>>>> {
  const found = new Map<string, Readonly<Record<string, number>>>();
  const { KAFKA_BROKERS: external = '' } = process.env;
  // A Kafka that this bench did not start must not be killed.
  if (external !== '') return found;
  for (const driver of DRIVERS) {
    process.stderr.write(`recovery: ${driver}\n`);
    found.set(driver, await contestant(driver, 'recovery.ts', [driver]).run());
  }
  return found;
}

function once(value: number | undefined): string {
  return value === undefined ? 'not measured' : figure(value);
}
