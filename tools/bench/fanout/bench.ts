import { join } from 'node:path';
import { runChild } from '../lib/child.ts';
import { writeSection } from '../lib/results.ts';
import { type Contestant, interleave, type Rounds, ratios, valuesOf } from '../lib/rounds.ts';
import { figure, spreadOf, spreadText } from '../lib/statistics.ts';
import { SYSTEMS, type SystemName } from './systems.ts';
import type { Workload } from './workload.ts';

const OURS = 'esdb-gater' satisfies SystemName;
const PEERS = ['Centrifugo', 'nats-server', 'socket.io'] as const satisfies readonly SystemName[];
type Peer = (typeof PEERS)[number];

interface Scenario {
  readonly title: string;
  readonly workload: Workload;
  /** CPU of the peer divided by ours. */
  readonly aims: Readonly<Partial<Record<Peer, number>>>;
  readonly peers?: readonly Peer[];
}

const SCENARIOS: readonly Scenario[] = [
  {
    title: '10 subscribers, 64 in flight',
    workload: { subscribers: 10, topics: 1, inFlight: 64, messages: 40_000 },
    aims: { Centrifugo: 2.5, 'nats-server': 1 },
  },
  {
    title: '100 subscribers, 64 in flight',
    workload: { subscribers: 100, topics: 1, inFlight: 64, messages: 10_000 },
    aims: { Centrifugo: 3, 'nats-server': 1.5, 'socket.io': 20 },
  },
  {
    title: '1 000 subscribers, 64 in flight',
    workload: { subscribers: 1_000, topics: 1, inFlight: 64, messages: 1_500 },
    aims: { Centrifugo: 4, 'nats-server': 3 },
    peers: ['Centrifugo', 'nats-server'],
  },
  {
    title: '100 subscribers, 1 in flight',
    workload: { subscribers: 100, topics: 1, inFlight: 1, messages: 2_000 },
    aims: { Centrifugo: 1.2 },
    peers: ['Centrifugo', 'nats-server'],
  },
  {
    title: '100 subscribers, 1 000 publishes/s',
    workload: { subscribers: 100, topics: 1, perSecond: 1_000, messages: 4_000 },
    aims: { Centrifugo: 1.2 },
    peers: ['Centrifugo', 'nats-server'],
  },
  {
    title: '1 000 topics, one subscriber each',
    workload: { subscribers: 1_000, topics: 1_000, inFlight: 64, messages: 40_000 },
    aims: { Centrifugo: 2, 'nats-server': 1 },
    peers: ['Centrifugo', 'nats-server'],
  },
];

const CONNECTIONS = 4_000;

/** Fan-out of 128-byte messages and idle connections: CPU and memory of the server against Centrifugo, nats-server and socket.io. */
export async function benchFanout(rounds: number): Promise<void> {
  await benchDeliveries(rounds);
  await benchConnections(rounds);
}

async function benchDeliveries(rounds: number): Promise<void> {
  const rows: string[][] = [];
  for (const { title, workload, aims, peers = PEERS } of SCENARIOS) {
    process.stderr.write(`${title}\n`);
    const present = peers.filter(isPresent);
    const figures = await interleave(
      title,
      contestants(present, 'load.ts', JSON.stringify(workload)),
      rounds,
    );
    for (const name of [OURS, ...present] as const) {
      rows.push([
        title,
        name,
        spread(figures, name, 'cpuMicros'),
        ...ratioCells(figures, name, 'cpuMicros', name === OURS ? undefined : aims[name]),
        median(figures, name, 'deliveredPerSecond'),
        workload.perSecond === undefined ? '' : spread(figures, name, 'p99Ms'),
      ]);
    }
  }
  writeSection(
    'Fan-out over WebSocket',
    [
      'One publisher, 128-byte messages. CPU of the server per delivered message, from the accounting of the operating system; every subscriber got every message of its topic once and in order. All servers with their defaults, over WebSocket, without compression; the gateway with everything on. Load and server share the cores of this machine, which limits deliveries a second.',
      ...absentText(),
    ],
    ['scenario', 'who', 'µs a delivery', 'peer / ours', 'aim', 'delivered/s', 'p99, ms'],
    rows,
  );
}

async function benchConnections(rounds: number): Promise<void> {
  const present = PEERS.filter(isPresent);
  const figures = await interleave(
    'idle connections',
    contestants(present, 'connections.ts', `${CONNECTIONS}`),
    rounds,
  );
  writeSection(
    'Idle connections',
    [
      `${figure(CONNECTIONS)} connections, 64 of them opening at a time until the server has greeted them, after half as many that were closed again. Memory is what the process shares with no other one four seconds later, less what it had before, per connection. Aim of ours: at most 10 KiB.`,
      ...absentText(),
    ],
    ['who', 'KiB a connection', 'connects/s', 'ours / peer', 'µs of CPU a connect', 'peer / ours'],
    [OURS, ...present].map((name) => [
      name,
      spread(figures, name, 'kibPerConnection'),
      spread(figures, name, 'connectsPerSecond'),
      name === OURS ? '' : spreadText(spreadOf(ratios(figures, OURS, name, 'connectsPerSecond'))),
      spread(figures, name, 'cpuMicros'),
      ratioCells(figures, name, 'cpuMicros', undefined)[0] as string,
    ]),
  );
}

function contestants(peers: readonly Peer[], file: string, argument: string): readonly Contestant[] {
  return [OURS, ...peers].map((name) => ({
    name,
    isPeer: name !== OURS,
    run: () => runChild(join(import.meta.dirname, file), [name, argument]),
  }));
}

function isPresent(peer: Peer): boolean {
  return SYSTEMS[peer].absent === undefined;
}

function absentText(): readonly string[] {
  const absent = PEERS.filter((peer) => !isPresent(peer)).map((peer) => `${peer} (${SYSTEMS[peer].absent})`);
  return absent.length === 0 ? [] : [`Not measured: ${absent.join(', ')}.`];
}

function spread(figures: Rounds, name: string, key: string): string {
  return spreadText(spreadOf(valuesOf(figures, name, key)));
}

function median(figures: Rounds, name: string, key: string): string {
  return figure(spreadOf(valuesOf(figures, name, key)).median);
}

function ratioCells(figures: Rounds, name: string, key: string, aim: number | undefined): readonly string[] {
  if (name === OURS) return ['', ''];
  return [spreadText(spreadOf(ratios(figures, name, OURS, key))), aim === undefined ? '' : `${aim}`];
}
