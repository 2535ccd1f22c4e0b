import { writeSection } from '../lib/results.ts';
import { interleave, type Rounds } from '../lib/rounds.ts';
import { figure, spreadOf } from '../lib/statistics.ts';
import { cell, contestant } from './sections.ts';

const RECORDS = 30_000;
const SUBSCRIBERS = 100;
const PARTITIONS = [1, 2, 4] as const;
const gateway = (partitions: number): string => `gateway, ${partitions} partitions`;
const bare = (partitions: number): string => `bare consumer, ${partitions} partitions`;

/** A gateway that tails Kafka and fans out to 100 subscribers, against a consumer that only counts. */
export async function benchThroughput(bootstrap: string, rounds: number): Promise<void> {
  const { CENTRIFUGO_BIN: centrifugo } = process.env;
  const figures = await interleave(
    PARTITIONS.flatMap((partitions) => [
      contestant(gateway(partitions), 'throughput.ts', ['gateway', bootstrap, `${partitions}`, `${RECORDS}`]),
      contestant(bare(partitions), 'throughput.ts', ['bare', bootstrap, `${partitions}`, `${RECORDS}`]),
    ]),
    rounds,
  );
  writeSection(
    'Kafka: a gateway that tails, 100 subscribers',
    [
      `${figure(RECORDS)} records of 128 bytes with the headers of CloudEvents, from a process of its own at full speed, at most 2 000 ahead of the slowest receiver; kafkajs on both sides. CPU is that of the gateway or of the consumer alone, by the accounting of the operating system. Every receiver got every record once and in order within its topic. The bare consumer parses each value and sends nothing to anybody; the gateway makes ${SUBSCRIBERS} deliveries of each record. Records a second are what producer, Kafka, reader and subscribers reach together on these cores; CPU per record is the fairer figure.`,
      centrifugo === undefined
        ? "Centrifugo's Kafka consumer: not measured."
        : "Centrifugo's Kafka consumer: not measured; this bench does not run the binary of CENTRIFUGO_BIN.",
    ],
    ['who', 'records/s', 'CPU per record, µs', 'CPU per delivery, µs', 'CPU, %', 'CPU, against 1 partition'],
    [gateway, bare].flatMap((name) => PARTITIONS.map((partitions) => row(figures, name, partitions))),
  );
}

function row(figures: Rounds, name: (partitions: number) => string, partitions: number): string[] {
  const medianOf = (who: string): number =>
    spreadOf((figures.get(who) ?? []).map(({ cpuMicros }) => cpuMicros ?? Number.NaN)).median;
  const who = name(partitions);
  return [
    who,
    cell(figures, who, 'recordsPerSecond'),
    cell(figures, who, 'cpuMicros'),
    figure(medianOf(who) / (name === gateway ? SUBSCRIBERS : 1)),
    cell(figures, who, 'cpuPercent'),
    figure(medianOf(who) / medianOf(name(1))),
  ];
}
