import { join } from 'node:path';
import { runChild } from '../lib/child.ts';
import { flushesPerSecond } from '../lib/machine.ts';
import { writeSection } from '../lib/results.ts';
import { type Contestant, interleave, ratios, valuesOf } from '../lib/rounds.ts';
import { figure, spreadOf, spreadText } from '../lib/statistics.ts';

const DURATION_MS = 3_000;

const SCENARIOS = [
  { title: 'appends/s, 100 writers', mode: 'append', writers: 100, key: 'appendsPerSecond', aim: '20' },
  { title: 'appends/s, 1 writer', mode: 'append', writers: 1, key: 'appendsPerSecond', aim: '' },
  {
    title: 'events/s, reading a stream of 10 000',
    mode: 'read',
    writers: 0,
    key: 'eventsPerSecond',
    aim: '4',
  },
] as const;

/** Durable appends and reads of the embedded store against emmett-sqlite. */
export async function benchStores(rounds: number): Promise<void> {
  const rows: string[][] = [];
  let loopDelay = '';
  const flushes = [flushesPerSecond()];
  for (const { title, mode, writers, key, aim } of SCENARIOS) {
    const contestant = (name: string, isPeer = false): Contestant => ({
      name,
      isPeer,
      run: () =>
        patiently(() =>
          runChild(join(import.meta.dirname, `${name}.ts`), [mode, `${writers}`, `${DURATION_MS}`]),
        ),
    });
    const figures = await interleave(
      title,
      [contestant('esdb-gater'), contestant('emmett-sqlite', true)],
      rounds,
    );
    rows.push([
      title,
      spreadText(spreadOf(valuesOf(figures, 'esdb-gater', key))),
      spreadText(spreadOf(valuesOf(figures, 'emmett-sqlite', key))),
      spreadText(spreadOf(ratios(figures, 'esdb-gater', 'emmett-sqlite', key))),
      aim,
    ]);
    if (writers === 100) loopDelay = spreadText(spreadOf(valuesOf(figures, 'esdb-gater', 'loopP99Ms')));
    flushes.push(flushesPerSecond());
  }
  writeSection(
    'Embedded store',
    [
      '200-byte JSON events, expected version checked, durable (`synchronous=FULL`); emmett-sqlite behind a mutex, as concurrent appends fail there. Versions, counts and order are checked.',
      `Flushes of 4 KB that extend a file on the same disk, in the same run: ${figure(Math.min(...flushes))} to ${figure(Math.max(...flushes))} a second.`,
      `Event-loop delay of the process that holds the store while 100 writers append, 99th percentile: ${loopDelay} ms (aim: under 20).`,
    ],
    ['what', 'esdb-gater', 'emmett-sqlite', 'ratio', 'aim'],
    rows,
  );
}

/** emmett-sqlite sets WAL while its own transaction may be open, and then fails at the start. */
const ATTEMPTS = 5;

async function patiently<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}
