import { join } from 'node:path';
import { runChild } from '../lib/child.ts';
import { writeSection } from '../lib/results.ts';
import { type Contestant, interleave, ratios, valuesOf } from '../lib/rounds.ts';
import { figure, spreadOf, spreadText } from '../lib/statistics.ts';

const SCENARIOS = [
  { subscribers: 100, inFlight: 64, messages: 5_000, aim: '10' },
  { subscribers: 100, inFlight: 1, messages: 1_000, aim: '' },
] as const;

/** Fan-out to 100 subscribers, 128-byte messages: server CPU per delivered message against socket.io. */
export async function benchFanout(rounds: number): Promise<void> {
  const rows: string[][] = [];
  for (const { subscribers, inFlight, messages, aim } of SCENARIOS) {
    const contestant = (name: string): Contestant => ({
      name,
      run: () =>
        runChild(join(import.meta.dirname, 'load.ts'), [
          name,
          `${subscribers}`,
          `${inFlight}`,
          `${messages}`,
        ]),
    });
    const figures = await interleave([contestant('esdb-gater'), contestant('socket.io')], rounds);
    const of = (name: string, key: string): string => spreadText(spreadOf(valuesOf(figures, name, key)));
    rows.push([
      `${subscribers} subscribers, ${inFlight} in flight`,
      of('esdb-gater', 'cpuMicros'),
      of('socket.io', 'cpuMicros'),
      spreadText(spreadOf(ratios(figures, 'socket.io', 'esdb-gater', 'cpuMicros'))),
      aim,
      `${figure(spreadOf(valuesOf(figures, 'esdb-gater', 'deliveredPerSecond')).median)} / ${figure(spreadOf(valuesOf(figures, 'socket.io', 'deliveredPerSecond')).median)}`,
    ]);
  }
  writeSection(
    'Fan-out over WebSocket',
    [
      'Server CPU per delivered message in µs, from the accounting of the operating system. One publisher, 128-byte messages; every subscriber got every message once and in order. `ours` is the gateway with its defaults.',
    ],
    [
      'scenario',
      'esdb-gater, µs',
      'socket.io, µs',
      'socket.io / ours',
      'aim',
      'delivered/s, ours / socket.io',
    ],
    rows,
  );
}
