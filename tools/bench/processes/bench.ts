import { join } from 'node:path';
import { runChild } from '../lib/child.ts';
import { writeSection } from '../lib/results.ts';
import { interleave, type Rounds, valuesOf } from '../lib/rounds.ts';
import { figure, spreadOf, spreadText } from '../lib/statistics.ts';
import { appendsPerSecond, messagesPerSecond } from './model.ts';

const ONE = 'esdb-gater';
const TWO = 'esdb-gater, 2 processes';
const CONNECTIONS = 16;
const WRITERS = 100;
const DURATION_MS = 3_000;

/** Subscribers of each message, and messages: few and many, so that a message and a delivery can be told apart. */
const FEW = { subscribers: 10, topics: 1, inFlight: 64, messages: 20_000 };
const MANY = { subscribers: 200, topics: 1, inFlight: 64, messages: 5_000 };

const CORES = [1, 2, 8, 64];

/** What a second process costs and brings, and what more of them would on more cores. */
export async function benchProcesses(rounds: number): Promise<void> {
  const few = await fanOut(FEW, rounds);
  const many = await fanOut(MANY, rounds);
  const appends = await interleave(
    `appends by ${WRITERS} writers over ${CONNECTIONS} WebSockets`,
    [1, 2].map((processes) => ({
      name: processes === 1 ? ONE : TWO,
      run: () =>
        runChild(
          join(import.meta.dirname, '..', 'wire', 'appends.ts'),
          [WRITERS, DURATION_MS, processes, CONNECTIONS].map(String),
        ),
    })),
    rounds,
  );

  const median = (of: Rounds, name: string, key: string): number => spreadOf(valuesOf(of, name, key)).median;
  const deliveryMicros =
    (median(many, ONE, 'messageMicros') - median(few, ONE, 'messageMicros')) /
    (MANY.subscribers - FEW.subscribers);
  const messageMicros = median(few, ONE, 'messageMicros') - deliveryMicros * FEW.subscribers;
  // Half of the deliveries are the first process's.
  const halfMicros = (deliveryMicros * FEW.subscribers) / 2;
  const firstMicros = median(few, TWO, 'firstMicros') - halfMicros;
  const othersMicros = median(few, TWO, 'messageMicros') - median(few, TWO, 'firstMicros') - halfMicros;
  const costs = {
    messageMicros,
    deliveryMicros,
    sendMicros: Math.max(0, firstMicros - messageMicros),
    takeMicros: Math.max(0, othersMicros),
  };
  const appendCosts = {
    aloneMicros: median(appends, ONE, 'cpuMicros'),
    firstMicros: median(appends, TWO, 'firstMicros'),
  };

  const row = (title: string, of: Rounds, name: string, key: string, rate: string): string[] => [
    title,
    name,
    spreadText(spreadOf(valuesOf(of, name, key))),
    spreadText(spreadOf(valuesOf(of, name, rate))),
  ];
  writeSection(
    'Several processes',
    [
      'One gateway in one process and in two, with the load on the same two cores: rates cannot grow here, and the CPU tells what a second process costs. All processes are counted, the supervisor included. One publisher, 128-byte messages, 64 in flight; appends of 200 bytes, durable and fed.',
    ],
    ['what', 'who', 'µs of CPU a message or append', 'deliveries or appends/s'],
    [
      ...[ONE, TWO].map((name) => row('10 subscribers', few, name, 'messageMicros', 'deliveredPerSecond')),
      ...[ONE, TWO].map((name) => row('200 subscribers', many, name, 'messageMicros', 'deliveredPerSecond')),
      ...[ONE, TWO].map((name) => row('appends', appends, name, 'cpuMicros', 'appendsPerSecond')),
    ],
  );
  writeSection(
    'Several processes: a model',
    [
      `Computed, not measured, from the medians above, for N processes that have a core each. A message costs ${figure(messageMicros)} µs, a delivery d = ${figure(deliveryMicros)} µs; each other process costs the first one ${figure(costs.sendMicros)} µs more and itself ${figure(costs.takeMicros)} µs. Messages a second with S subscribers: 10⁶ / max(${figure(messageMicros)} + ${figure(costs.sendMicros)}·(N−1) + d·S/N, ${figure(costs.takeMicros)} + d·S/N), the first process being the first term. An append costs a gateway of one process ${figure(appendCosts.aloneMicros)} µs, threads of the store included, and the first of two ${figure(appendCosts.firstMicros)} µs: appends a second 10⁶ / (${figure(appendCosts.aloneMicros)}/N + l·(N−1)/N), l being what an append of another process costs the first one. The store's disk is not in the model.`,
    ],
    ['cores = processes', 'deliveries/s, 100 subscribers', 'deliveries/s, 10 000 subscribers', 'appends/s'],
    CORES.map((cores) => [
      `${cores}`,
      figure(100 * messagesPerSecond(costs, cores, 100)),
      figure(10_000 * messagesPerSecond(costs, cores, 10_000)),
      figure(appendsPerSecond(appendCosts, cores)),
    ]),
  );
}

function fanOut(workload: typeof FEW, rounds: number): Promise<Rounds> {
  const file = join(import.meta.dirname, '..', 'fanout', 'load.ts');
  return interleave(
    `${workload.subscribers} subscribers`,
    [ONE, TWO].map((name) => ({ name, run: () => runChild(file, [name, JSON.stringify(workload)]) })),
    rounds,
  );
}
