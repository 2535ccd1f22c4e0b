import { join } from 'node:path';
import { type RunningPostgres, startPostgres } from '../../postgres/index.ts';
import { runChild } from '../lib/child.ts';
import { benchFolder, flushesPerSecond } from '../lib/machine.ts';
import { writeSection } from '../lib/results.ts';
import { type Contestant, interleave, type Rounds, ratios, valuesOf } from '../lib/rounds.ts';
import { startGateway } from '../lib/server-process.ts';
import { figure, spreadOf, spreadText } from '../lib/statistics.ts';

const DURATION_MS = 3_000;

const SCENARIOS = [
  {
    title: 'appends/s, 100 writers',
    mode: 'append',
    writers: 100,
    key: 'appendsPerSecond',
    aims: ['12', '12'],
  },
  { title: 'appends/s, 1 writer', mode: 'append', writers: 1, key: 'appendsPerSecond', aims: ['2', '1'] },
  {
    title: 'events/s, reading a stream of 10 000',
    mode: 'read',
    writers: 0,
    key: 'eventsPerSecond',
    aims: ['2', '2'],
  },
] as const;

const PEERS = ['emmett-postgresql', 'message-db'] as const;

const GATEWAYS = [1, 2, 4] as const;

/** The sizes of stores in which the same 100 events are looked up by a tag. */
const SIZES = [10_000, 100_000, 1_000_000];

/** Appends and reads of the PostgreSQL store against emmett-postgresql and message-db, each run in a database of its own. */
export async function benchPostgres(rounds: number): Promise<void> {
  const single = await startPostgres();
  const flushes = [flushesPerSecond()];
  try {
    const rows = await comparisons(single, rounds);
    flushes.push(flushesPerSecond());
    rows.push(...(await gateways(single, rounds)), ...(await queries(single)));
    rows.splice(2, 0, ...(await quorum(rounds)));
    writeSection(
      'PostgreSQL store',
      [
        '200-byte JSON events, expected version checked, durable (`fsync` and `synchronous_commit` on), one PostgreSQL of Debian on the same machine. Versions, counts and order are checked.',
        'Through gateways: the feed is off, one load generator shares the cores with them. message-db: its functions over 20 connections. With the quorum: a primary and two standbys, each commit on one of them (`ANY 1`).',
        `Flushes of 4 KB that extend a file on the same disk, in the same run: ${figure(Math.min(...flushes))} to ${figure(Math.max(...flushes))} a second.`,
      ],
      ['what', 'esdb-gater', ...PEERS, ...PEERS.map((peer) => `ratio to ${peer}`), 'aims'],
      rows,
    );
  } finally {
    await single.stop();
  }
}

async function comparisons(postgres: RunningPostgres, rounds: number): Promise<string[][]> {
  const rows: string[][] = [];
  for (const { title, mode, writers, key, aims } of SCENARIOS) {
    const names = ['esdb-gater', ...PEERS];
    const figures = await interleave(
      title,
      names.map((name) => contestant(postgres, name, [mode, `${writers}`])),
      rounds,
    );
    rows.push([
      title,
      ...names.map((name) => medianOf(figures, name, key)),
      ...PEERS.map((peer) => spreadText(spreadOf(ratios(figures, 'esdb-gater', peer, key)))),
      aims.join(', '),
    ]);
  }
  return rows;
}

async function quorum(rounds: number): Promise<string[][]> {
  const postgres = await startPostgres({ nodes: 3 });
  try {
    const rows: string[][] = [];
    for (const writers of [100, 1]) {
      const one = contestant(postgres, 'esdb-gater', ['append', `${writers}`]);
      const title = `appends/s, ${writers} ${writers === 1 ? 'writer' : 'writers'}, with the quorum`;
      const figures = await interleave(title, [one], rounds);
      rows.push(alone(title, medianOf(figures, 'esdb-gater', 'appendsPerSecond')));
    }
    return rows;
  } finally {
    await postgres.stop();
  }
}

/** The same writers over WebSocket, spread over one, two and four gateways on one database. */
async function gateways(postgres: RunningPostgres, rounds: number): Promise<string[][]> {
  const nameOf = (count: number): string => `${count} ${count === 1 ? 'gateway' : 'gateways'}`;
  const contestants = GATEWAYS.map(
    (count): Contestant => ({
      name: nameOf(count),
      async run() {
        const url = await newDatabase(postgres);
        const settings = { stores: JSON.stringify({ bench: { engine: 'postgres', url, feed: false } }) };
        const started = await Promise.all(
          Array.from({ length: count }, (_, node) =>
            startGateway({
              ...settings,
              'node-id': `${node}`,
              'data-dir': benchFolder(`postgres-gateway-${node}`),
            }),
          ),
        );
        try {
          const urls = started.map((gateway) => gateway.url).join(',');
          return await runChild(fileOf('gateway-load'), [urls, '100', `${DURATION_MS}`]);
        } finally {
          await Promise.all(started.map((gateway) => gateway.stop()));
        }
      },
    }),
  );
  const figures = await interleave('appends through several gateways', contestants, rounds);
  return GATEWAYS.map((count) =>
    alone(
      `appends/s, 100 writers over WebSocket through ${nameOf(count)}`,
      medianOf(figures, nameOf(count), 'appendsPerSecond'),
    ),
  );
}

async function queries(postgres: RunningPostgres): Promise<string[][]> {
  const rows: string[][] = [];
  for (const size of SIZES) {
    process.stderr.write(`queries by a tag among ${size} events\n`);
    const { ms = Number.NaN } = await runChild(fileOf('scale'), [await newDatabase(postgres), `${size}`]);
    rows.push(
      alone(`ms, 100 events by one tag among ${size.toLocaleString('en').replaceAll(',', ' ')}`, figure(ms)),
    );
  }
  return rows;
}

function contestant(postgres: RunningPostgres, name: string, args: readonly string[]): Contestant {
  return {
    name,
    isPeer: name !== 'esdb-gater',
    run: async () => runChild(fileOf(name), [await newDatabase(postgres), ...args, `${DURATION_MS}`]),
  };
}

let databases = 0;

/** Makes a database, so that each run begins with empty tables. Returns its URL. */
async function newDatabase(postgres: RunningPostgres): Promise<string> {
  const former = `bench${databases}`;
  databases += 1;
  if (databases > 1) await postgres.query(`DROP DATABASE IF EXISTS ${former} WITH (FORCE)`);
  await postgres.query(`CREATE DATABASE bench${databases}`);
  return postgres.url.replace(/\/postgres(\?|$)/, `/bench${databases}$1`);
}

const fileOf = (name: string): string => join(import.meta.dirname, `${name}.ts`);

const medianOf = (figures: Rounds, name: string, key: string): string =>
  spreadText(spreadOf(valuesOf(figures, name, key)));

/** A row without peers. */
const alone = (title: string, text: string): string[] => [
  title,
  text,
  ...PEERS.map(() => ''),
  ...PEERS.map(() => ''),
  '',
];
