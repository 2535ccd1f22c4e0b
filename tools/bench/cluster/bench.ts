import { loadavg } from 'node:os';
import { join } from 'node:path';
import { runChild } from '../lib/child.ts';
import { writeSection } from '../lib/results.ts';
import { type Contestant, interleave, ratios, valuesOf } from '../lib/rounds.ts';
import { figure, spreadOf, spreadText } from '../lib/statistics.ts';

const DURATION_MS = 2_000;
const IN_FLIGHT = [64, 1];
const ECHO = 'echo';
const CALLERS = [
  { name: 'in-process', what: 'in process' },
  { name: 'across-nodes', what: 'across two nodes' },
] as const;

const WORKERS = [8, 1_000] as const;
const PICKS_MS = 1_000;

const NODES = [10, 100, 1_000];

/** Calls through the registry against a bare echo, picks among many workers, and what a growing cluster costs a node. */
export async function benchCluster(rounds: number): Promise<void> {
  await benchCalls(rounds);
  await benchPicks(rounds);
  await benchGrowth();
}

const contestant = (name: string, file: string, args: readonly number[]): Contestant => ({
  name,
  run: () => runChild(join(import.meta.dirname, `${file}.ts`), args.map(String)),
});

async function benchCalls(rounds: number): Promise<void> {
  const load = figure(loadavg()[0] ?? 0);
  const rows: string[][] = [];
  for (const inFlight of IN_FLIGHT) {
    const args = [inFlight, DURATION_MS];
    const names = [ECHO, ...CALLERS.map(({ name }) => name)];
    const figures = await interleave(
      `calls, ${inFlight} in flight`,
      names.map((name) => ({ ...contestant(name, name, args), isPeer: name === ECHO })),
      rounds,
    );
    const of = (name: string, key: string): string => spreadText(spreadOf(valuesOf(figures, name, key)));
    for (const { name, what } of CALLERS) {
      rows.push([
        `${what}, ${inFlight} in flight`,
        of(name, 'callsPerSecond'),
        of(ECHO, 'callsPerSecond'),
        spreadText(spreadOf(ratios(figures, name, ECHO, 'callsPerSecond'))),
        'at least 0.5',
        name === 'across-nodes' ? `${of(name, 'cpuMicros')} / ${of(ECHO, 'cpuMicros')}` : '',
      ]);
    }
  }
  writeSection(
    'Calls through the registry',
    [
      '`getVersion` of a worker that does nothing else, with the retries, limits and telemetry of every call. Across nodes: the caller is a node of a cluster, and the worker that of a gateway in another process, with its defaults and a store in memory. Echo: a bare `ws` client sends the message of that call to a bare `ws` server in another process, which sends it back; neither parses it. Every answer is checked.',
      `CPU: of both processes together, per call. Load average of the machine when the bench began: ${load}.`,
    ],
    ['what', 'calls/s', 'echoes/s', 'ratio', 'aim', 'CPU, µs, ours / echo'],
    rows,
  );
}

async function benchPicks(rounds: number): Promise<void> {
  const nameOf = (workers: number): string => `${figure(workers)} workers`;
  const figures = await interleave(
    'picks of a worker',
    WORKERS.map((workers) => contestant(nameOf(workers), 'picks', [workers, PICKS_MS])),
    rounds,
  );
  const [few, many] = WORKERS;
  const key = 'picksPerSecond';
  writeSection(
    'Picks of a worker',
    ['`registry.pick` by store and method, in one process. Every worker was picked equally often.'],
    ['workers of the store', 'picks/s', `ratio to ${nameOf(few)}`],
    WORKERS.map((workers) => [
      figure(workers),
      spreadText(spreadOf(valuesOf(figures, nameOf(workers), key))),
      workers === many ? spreadText(spreadOf(ratios(figures, nameOf(many), nameOf(few), key))) : '',
    ]),
  );
}

async function benchGrowth(): Promise<void> {
  const rows: string[][] = [];
  for (const nodes of NODES) {
    process.stderr.write(`a simulated cluster of ${nodes} nodes\n`);
    const measured = await runChild(join(import.meta.dirname, 'growth.ts'), [String(nodes)]);
    const of = (key: string): string => figure(measured[key] ?? Number.NaN);
    rows.push([
      figure(nodes),
      of('messagesPerSecond'),
      of('mostMessagesPerSecond'),
      of('bytesPerSecond'),
      of('kibPerNode'),
    ]);
  }
  writeSection(
    'A growing cluster',
    [
      'What the membership costs one node when nothing changes: messages and bytes that it sends (mean of all nodes, and the most of one), and the heap that it keeps. Each node offers one worker and knows those of all others. The memberships are the real ones; their clock and network are simulated, with delays of 1 to 20 ms.',
    ],
    ['nodes', 'messages/s', 'messages/s, most', 'bytes/s', 'KiB of heap per node'],
    rows,
  );
}
