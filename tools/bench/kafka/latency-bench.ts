import { writeSection } from '../lib/results.ts';
import { interleave, ratios } from '../lib/rounds.ts';
import { spreadOf, spreadText } from '../lib/statistics.ts';
import { cell, contestant } from './sections.ts';

const SECONDS = 5;
const BARE = 'bare kafkajs';
const BESIDE = 'bare kafkajs, beside gateways at work';
const GATEWAYS = {
  'gateways, kafkajs': 'kafkajs',
  'gateways, @platformatic/kafka': 'platformatic',
} as const;

/** Node to node, 1 000 messages a second to 100 subscribers, against the client alone. */
export async function benchLatency(bootstrap: string, rounds: number): Promise<void> {
  const figures = await interleave(
    'latency from node to node',
    [
      contestant(BARE, 'latency.ts', ['bare', bootstrap, `${SECONDS}`], true),
      contestant(BESIDE, 'latency.ts', ['beside', bootstrap, `${SECONDS}`], true),
      ...Object.entries(GATEWAYS).map(([name, driver]) =>
        contestant(name, 'latency.ts', [driver, bootstrap, `${SECONDS}`]),
      ),
    ],
    rounds,
  );
  writeSection(
    'Kafka: latency from node to node',
    [
      '1 000 messages of 128 bytes a second, 16 topics over 4 partitions, one broker. Gateways: published at A over WebSocket, received by 100 subscribers at B, every delivery counted. Bare: one kafkajs process that produces (what is due in one request, acks=all, Nagle off) and consumes once. Times from the call to the receipt; the first two seconds do not count. Every subscriber got every message once and in order within its topic.',
      'Broker, both gateways, publisher and the 100 subscribers share the cores of this machine; the bare client has no subscribers to serve. How busy all cores were is given, too: each of the hops on the way waits for a core. So the bare client is measured a second time, with 200 messages a second, while two gateways (kafkajs) serve 100 subscribers as in the row below: what it takes then is what the machine takes.',
    ],
    ['who', 'p50, ms', 'p99, ms', 'p99 / bare', 'aim', 'p99 / bare beside', 'cores busy, %'],
    [BARE, BESIDE, ...Object.keys(GATEWAYS)].map((name) => [
      name,
      cell(figures, name, 'p50Ms'),
      cell(figures, name, 'p99Ms'),
      name === BARE ? '' : spreadText(spreadOf(ratios(figures, name, BARE, 'p99Ms'))),
      Object.hasOwn(GATEWAYS, name) ? 'at most 1.5' : '',
      Object.hasOwn(GATEWAYS, name) ? spreadText(spreadOf(ratios(figures, name, BESIDE, 'p99Ms'))) : '',
      cell(figures, name, 'machinePercent'),
    ]),
  );
}
