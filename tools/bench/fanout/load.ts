// Load of the fan-out bench: `node load.ts KIND SUBSCRIBERS IN_FLIGHT MESSAGES`. It checks that every subscriber
// receives every message once and in order before it reports a figure.
import { cpuSeconds } from '../lib/child.ts';
import { openGateway, openSocketIo } from './clients.ts';
import { startServer } from './server.ts';

const MESSAGE_BYTES = 128;
const TOPIC = 'bench.fanout';
const WARM_UP = 0.2;

const [kind, subscribers, inFlight, messages] = [
  process.argv[2] === 'socket.io' ? ('socket.io' as const) : ('esdb-gater' as const),
  Number(process.argv[3]),
  Number(process.argv[4]),
  Number(process.argv[5]),
];

const server = await startServer(kind);
const open = kind === 'socket.io' ? openSocketIo : openGateway;
const clients = await Promise.all(Array.from({ length: subscribers }, () => open(server.url)));
const publisher = await open(server.url);

const last = new Array<number>(subscribers).fill(-1);
let delivered = 0;
let target = 0;
let reached: () => void = () => undefined;
await Promise.all(
  clients.map((client, index) =>
    client.subscribe(TOPIC, (sequence) => {
      if (sequence !== (last[index] as number) + 1)
        throw new Error(`subscriber ${index}: ${sequence} after ${last[index]}`);
      last[index] = sequence;
      delivered += 1;
      if (delivered === target) reached();
    }),
  ),
);

let next = 0;
await publishAll(Math.ceil(messages * WARM_UP));
const cpuBefore = cpuSeconds(server.pid);
const startedAt = performance.now();
await publishAll(messages);
const seconds = (performance.now() - startedAt) / 1_000;
const cpu = cpuSeconds(server.pid) - cpuBefore;

if (last.some((sequence) => sequence !== next - 1)) throw new Error('a subscriber misses messages');
for (const client of [...clients, publisher]) client.close();
await server.stop();
const deliveries = messages * subscribers;
process.stdout.write(
  `${JSON.stringify({ deliveredPerSecond: deliveries / seconds, cpuMicros: (cpu * 1e6) / deliveries })}\n`,
);
process.exit(0);

async function publishAll(count: number): Promise<void> {
  const end = next + count;
  target = end * subscribers;
  const done = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const worker = async (): Promise<void> => {
    while (next < end) {
      const seq = next++;
      const head = JSON.stringify({ seq, text: '' }).length;
      await publisher.publish(TOPIC, { seq, text: 'x'.repeat(MESSAGE_BYTES - head) });
    }
  };
  await Promise.all([...Array.from({ length: inFlight }, worker), done]);
}
