import { execFileSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { runChild } from '../lib/child.ts';
import { writeSection } from '../lib/results.ts';
import { type Contestant, interleave, ratios, valuesOf } from '../lib/rounds.ts';
import { figure, spreadOf, spreadText } from '../lib/statistics.ts';
import { umadbPython } from '../lib/umadb.ts';

const DURATION_MS = 3_000;
const SIZES = [10_000, 100_000, 1_000_000];
const WRITERS = [100, 1];

/** Queries by a tag as a store grows, and conditional appends against UmaDB. */
export async function benchQueries(rounds: number): Promise<void> {
  await benchSizes(rounds);
  await benchConditions(rounds);
}

async function benchSizes(rounds: number): Promise<void> {
  const load = loadText();
  const rows: string[][] = [];
  for (const size of SIZES) {
    process.stderr.write(`queries among ${size} events\n`);
    const figures = await runChild(join(import.meta.dirname, 'scale.ts'), [`${size}`, `${rounds}`]);
    rows.push([figure(size), spreadText(spreadOf(Object.values(figures)))]);
  }
  writeSection(
    'Queries by a tag',
    [
      '`queryEvents` of the embedded store by one tag that 100 events have, evenly spread, in milliseconds for a page of all 100. Other events have one of 1 000 tags and one of 20 types.',
      load,
    ],
    ['events in the store', 'ms per query'],
    rows,
  );
}

async function benchConditions(rounds: number): Promise<void> {
  const python = umadbPython();
  const version = execFileSync(python, ['-c', 'import importlib.metadata as m; print(m.version("umadb"))']);
  const load = loadText();
  const rows: string[][] = [];
  for (const writers of WRITERS) {
    const contestant = (name: string, args: readonly string[]): Contestant => ({
      name,
      isPeer: name === 'umadb',
      run: () => runChild(join(import.meta.dirname, `${name}.ts`), [...args, `${writers}`, `${DURATION_MS}`]),
    });
    const figures = await interleave(
      `conditional appends, ${writers === 1 ? '1 writer' : `${writers} writers`}`,
      [contestant('esdb-gater', []), contestant('umadb', [python])],
      rounds,
    );
    for (const [key, what, aim] of [
      ['appendsPerSecond', 'appends/s', writers === 100 ? 'at least 2' : ''],
      ['cpuMicros', 'server CPU per append, µs', writers === 1 ? 'at most 1' : ''],
    ] as const) {
      rows.push([
        `${what}, ${writers} ${writers === 1 ? 'writer' : 'writers'}`,
        spreadText(spreadOf(valuesOf(figures, 'esdb-gater', key))),
        spreadText(spreadOf(valuesOf(figures, 'umadb', key))),
        spreadText(spreadOf(ratios(figures, 'esdb-gater', 'umadb', key))),
        aim,
      ]);
    }
  }
  writeSection(
    'Conditional appends',
    [
      `One 200-byte event per append, durable, under a condition on the writer's own tag after its last position. The gateway by its client over one WebSocket, UmaDB ${String(version).trim()} by its Python client (a thread per writer) over one gRPC connection; both servers with their defaults. Client and server share the cores, and the Python client limits UmaDB's rate: compare the CPU of the servers too.`,
      load,
    ],
    ['what', 'esdb-gater', 'UmaDB', 'ratio', 'aim'],
    rows,
  );
}

/** Other programs on the machine make figures worse, and this says how much they could. */
function loadText(): string {
  return `Load average of the machine when the bench began: ${figure(loadavg()[0] ?? 0)}.`;
}
