import { join } from 'node:path';
import { runChild } from '../lib/child.ts';
import { writeSection } from '../lib/results.ts';
import { interleave, valuesOf } from '../lib/rounds.ts';
import { spreadOf, spreadText } from '../lib/statistics.ts';

const DURATION_MS = 3_000;
const EVENTS = 50_000;

/** What is measured, in the order of the table: a program, its arguments, and the figures with their names and aims. */
const SCENARIOS = [
  {
    name: 'appends over one WebSocket, 100 writers',
    program: 'appends',
    args: [100, DURATION_MS],
    figures: { appendsPerSecond: ['appends/s', ''], cpuMicros: ['µs of server CPU an append', 'at most 35'] },
  },
  {
    name: 'appends over one WebSocket, 1 writer',
    program: 'appends',
    args: [1, DURATION_MS],
    figures: {
      appendsPerSecond: ['appends/s', ''],
      cpuMicros: ['µs of server CPU an append', 'at most 260'],
    },
  },
  {
    name: 'the whole store over one WebSocket',
    program: 'reads',
    args: [EVENTS, DURATION_MS],
    figures: {
      eventsPerSecond: ['events/s', 'at least 300 000'],
      cpuMicros: ['µs of server CPU an event', 'at most 2.5'],
    },
  },
] as const;

/** What calls cost the gateway, socket to socket and with its defaults, the feed included. */
export async function benchWire(rounds: number): Promise<void> {
  const rows: string[][] = [];
  for (const { name, program, args, figures } of SCENARIOS) {
    const run = () => runChild(join(import.meta.dirname, `${program}.ts`), args.map(String));
    const measured = await interleave(name, [{ name: 'esdb-gater', run }], rounds);
    for (const [key, [what, aim]] of Object.entries(figures)) {
      rows.push([`${name}: ${what}`, spreadText(spreadOf(valuesOf(measured, 'esdb-gater', key))), aim]);
    }
  }
  writeSection(
    'Appends and reads over the wire',
    [
      'The gateway with its defaults, in a process of its own; its client on the same cores. Server CPU is that of all its threads, from the accounting of the operating system. Events have 200 bytes of data, are durable when they are acknowledged, and are published by the feed. Every version and position is checked.',
    ],
    ['what', 'esdb-gater', 'aim'],
    rows,
  );
}
