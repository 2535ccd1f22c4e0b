// Load of the fan-out bench: `node load.ts SYSTEM WORKLOAD`, the workload as JSON. It checks that every subscriber
// receives every message of its topic once and in order before it reports a figure.
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSecondsOfEach } from '../lib/child.ts';
import { systemOf } from './systems.ts';
import type { Workload } from './workload.ts';

const MESSAGE_BYTES = 128;
const WARM_UP = 0.2;
const SEQUENCE = '"seq":';
const SENT_AT = '"at":';

const { subscribers, topics, inFlight, perSecond, messages } = JSON.parse(process.argv[3] ?? '') as Workload;
const system = systemOf(process.argv[2]);
const server = await system.start();
const clients = await Promise.all(Array.from({ length: subscribers }, () => system.open(server.url)));
const publisher = await system.open(server.url);

/** The number of the next message that each subscriber must get. */
const expected = Array.from({ length: subscribers }, (_, index) => index % topics);
let delivered = 0;
let target = 0;
let reached: () => void = () => undefined;
let delays: number[] | undefined;
await Promise.all(clients.map((client, index) => client.subscribe(topicOf(index), take(index))));

let next = 0;
await publishAll(Math.ceil((messages * WARM_UP) / topics) * topics);
delays = perSecond === undefined ? undefined : [];
const cpuBefore = cpuSecondsOfEach(server.pid);
const deliveredBefore = delivered;
const startedAt = performance.now();
await publishAll(messages);
const seconds = (performance.now() - startedAt) / 1_000;
// The supervisor of several processes, the first process, the others.
const cpus = cpuSecondsOfEach(server.pid).map((seconds, index) => seconds - (cpuBefore[index] ?? 0));
const cpu = cpus.reduce((sum, seconds) => sum + seconds, 0);
const deliveries = delivered - deliveredBefore;

for (const client of [...clients, publisher]) client.close();
await server.stop();
process.stdout.write(
  `${JSON.stringify({
    deliveredPerSecond: deliveries / seconds,
    cpuMicros: (cpu * 1e6) / deliveries,
    messageMicros: (cpu * 1e6) / messages,
    ...(cpus.length < 2 ? {} : { firstMicros: ((cpus[1] ?? 0) * 1e6) / messages }),
    ...(delays === undefined ? {} : { p99Ms: percentile(delays, 0.99) }),
  })}\n`,
);
process.exit(0);

function topicOf(number: number): string {
  return `bench.fanout.t${number % topics}`;
}

function take(index: number): (text: string) => void {
  return (text) => {
    const sequence = Number.parseInt(text.slice(text.indexOf(SEQUENCE) + SEQUENCE.length), 10);
    if (sequence !== expected[index]) {
      throw new Error(`subscriber ${index} got ${sequence}, expected ${expected[index]}`);
    }
    expected[index] = sequence + topics;
    delays?.push(performance.now() - Number.parseFloat(text.slice(text.indexOf(SENT_AT) + SENT_AT.length)));
    delivered += 1;
    if (delivered === target) reached();
  };
}

async function publishAll(count: number): Promise<void> {
  const end = next + count;
  target = delivered + (count * subscribers) / topics;
  const done = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const send = (): Promise<void> => {
    const seq = next++;
    const head = `{"seq":${seq},"at":${performance.now().toFixed(3)},"text":"`;
    return publisher.publish(topicOf(seq), `${head}${'x'.repeat(MESSAGE_BYTES - head.length - 2)}"}`);
  };
  const worker = async (): Promise<void> => {
    while (next < end) await send();
  };
  const sending =
    perSecond === undefined ? Array.from({ length: inFlight ?? 1 }, worker) : [paced(perSecond, count, send)];
  await Promise.all([...sending, done]);
}

/** Sends what is due every millisecond, without waiting for the answers. */
async function paced(rate: number, count: number, send: () => Promise<void>): Promise<void> {
  const start = performance.now();
  const answers: Promise<void>[] = [];
  while (answers.length < count) {
    await sleep(1);
    const due = Math.min(count, Math.floor(((performance.now() - start) * rate) / 1_000));
    while (answers.length < due) answers.push(send());
  }
  await Promise.all(answers);
}

function percentile(values: number[], share: number): number {
  values.sort((a, b) => a - b);
  return values[Math.min(values.length - 1, Math.floor(values.length * share))] as number;
}
