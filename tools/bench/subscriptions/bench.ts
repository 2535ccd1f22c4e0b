import { loadavg } from 'node:os';
import { join } from 'node:path';
import { runChild } from '../lib/child.ts';
import { writeSection } from '../lib/results.ts';
import { interleave, ratios, valuesOf } from '../lib/rounds.ts';
import { figure, spreadOf, spreadText } from '../lib/statistics.ts';
import { EVENTS, STREAMS } from './workload.ts';

const READERS = [
  ['subscription, in process', 'esdb-gater.ts', ['embedded', 'subscription']],
  ['`readAll` by hand, in process', 'esdb-gater.ts', ['embedded', 'by-hand']],
  ["emmett's consumer, in process", 'emmett-consumer.ts', []],
  ['subscription, over WebSocket', 'esdb-gater.ts', ['remote', 'subscription']],
  ['`readAll` by hand, over WebSocket', 'esdb-gater.ts', ['remote', 'by-hand']],
] as const;

/** How fast a persistent subscription catches up, against reading by hand and against emmett's consumer. */
export async function benchSubscriptions(rounds: number): Promise<void> {
  const load = loadavg()[0] ?? 0;
  const figures = await interleave(
    'catch-up',
    READERS.map(([name, file, args]) => ({
      name,
      isPeer: file === 'emmett-consumer.ts',
      run: () => runChild(join(import.meta.dirname, file), args),
    })),
    rounds,
  );
  const key = 'eventsPerSecond';
  writeSection(
    'Catch-up of a persistent subscription',
    [
      `${figure(EVENTS)} events of about 200 bytes in ${figure(STREAMS)} streams, each acknowledged on its own, on SQLite. Emmett handles one event after another and saves its checkpoint after each batch of 1 000.`,
      `Load average of the machine when the bench began: ${figure(load)}.`,
    ],
    ['reader', 'events/s', "ratio to emmett's consumer"],
    READERS.map(([name]) => [
      name,
      spreadText(spreadOf(valuesOf(figures, name, key))),
      spreadText(spreadOf(ratios(figures, name, READERS[2][0], key))),
    ]),
  );
}
