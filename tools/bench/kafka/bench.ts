import { startKafka } from '../../kafka/index.ts';
import { benchDrivers, measureRecovery } from './drivers-bench.ts';
import { benchLatency } from './latency-bench.ts';
import { benchThroughput } from './throughput-bench.ts';

/** The channels over one real Kafka, or over the brokers of `KAFKA_BROKERS`. */
export async function benchKafka(rounds: number): Promise<void> {
  const kafka = await startKafka({ server: true, say: (line) => process.stderr.write(`${line}\n`) });
  let writeDrivers: Awaited<ReturnType<typeof benchDrivers>>;
  try {
    await benchLatency(kafka.bootstrap, rounds);
    await benchThroughput(kafka.bootstrap, rounds);
    writeDrivers = await benchDrivers(kafka.bootstrap, rounds);
  } finally {
    await kafka.stop();
  }
  // The outages use a separate Kafka: the topics of the other scenarios would slow its start.
  writeDrivers(await measureRecovery());
}
