import { centrifugoBinary } from '../lib/centrifugo.ts';
import { writeSection } from '../lib/results.ts';
import { interleave, type Rounds, ratios, valuesOf } from '../lib/rounds.ts';
import { figure, spreadOf, spreadText } from '../lib/statistics.ts';
import { cell, contestant } from './sections.ts';

const RECORDS = 30_000;
const SUBSCRIBERS = 100;
const PARTITIONS = [1, 2, 4] as const;

interface Kind {
  /** Its name in `throughput.ts`. */
  readonly kind: string;
  readonly subscribers: number;
  readonly name: (partitions: number) => string;
}

const gateway = kindOf('gateway', SUBSCRIBERS, 'gateway');
const bare = kindOf('bare', 0, 'bare consumer');
const centrifugo = kindOf('centrifugo', SUBSCRIBERS, 'Centrifugo');

/** A gateway that tails Kafka and fans out to 100 subscribers, against a consumer that only counts. */
export async function benchThroughput(bootstrap: string, rounds: number): Promise<void> {
  const binary = centrifugoBinary() ?? '';
  const contestants = binary === '' ? [gateway, bare] : [gateway, bare, centrifugo];
  const figures = await interleave(
    'a gateway that tails',
    PARTITIONS.flatMap((partitions) =>
      contestants.map(({ kind, name }) =>
        contestant(
          name(partitions),
          'throughput.ts',
          [kind, bootstrap, `${partitions}`, `${RECORDS}`],
          kind !== gateway.kind,
        ),
      ),
    ),
    rounds,
  );
  writeSection(
    'Kafka: a gateway that tails, 100 subscribers',
    [
      `${figure(RECORDS)} records of 128 bytes with the headers of CloudEvents, from a process of its own at full speed, at most 2 000 ahead of the slowest receiver; kafkajs on both sides. CPU is that of the gateway or of the consumer alone, by the accounting of the operating system. Every receiver got every record once and in order within its topic. The bare consumer parses each value and sends nothing to anybody; the gateway makes ${SUBSCRIBERS} deliveries of each record. Records a second are what producer, Kafka, reader and subscribers reach together on these cores; CPU per record is the fairer figure.`,
      binary === ''
        ? "Centrifugo's Kafka consumer: not measured, as `CENTRIFUGO_BIN` named none."
        : 'Centrifugo: its Kafka consumer in the mode for data that is published as it is, one subscription for each of the 16 topics, as it knows no wildcards; 100 subscribers, too.',
    ],
    [
      'who',
      'records/s',
      'CPU per record, µs',
      'CPU per delivery, µs',
      'CPU, %',
      'CPU, against 1 partition',
      "CPU, against the gateway's",
    ],
    contestants.flatMap((who) => PARTITIONS.map((partitions) => row(figures, who, partitions))),
  );
}

function row(figures: Rounds, { name, subscribers }: Kind, partitions: number): string[] {
  const medianOf = (who: string): number => spreadOf(valuesOf(figures, who, 'cpuMicros')).median;
  const who = name(partitions);
  const ours = gateway.name(partitions);
  return [
    who,
    cell(figures, who, 'recordsPerSecond'),
    cell(figures, who, 'cpuMicros'),
    subscribers === 0 ? '' : figure(medianOf(who) / subscribers),
    cell(figures, who, 'cpuPercent'),
    figure(medianOf(who) / medianOf(name(1))),
    who === ours ? '' : spreadText(spreadOf(ratios(figures, who, ours, 'cpuMicros'))),
  ];
}

function kindOf(kind: string, subscribers: number, title: string): Kind {
  const name = (partitions: number) =>
    `${title}, ${partitions} ${partitions === 1 ? 'partition' : 'partitions'}`;
  return { kind, subscribers, name };
}
