import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { runChild } from '../lib/child.ts';
import { writeSection } from '../lib/results.ts';
import { type Contestant, interleave, ratios, valuesOf } from '../lib/rounds.ts';
import { spreadOf, spreadText } from '../lib/statistics.ts';

const OFF = 'off';
const DURATION_MS = '3000';

const SCENARIOS = [
  {
    name: 'appends, 100 writers, the feed on',
    unit: 'an append',
    program: ['wire', 'appends.ts'],
    args: ['100', DURATION_MS],
  },
  {
    name: 'publishes to 10 subscribers, 64 in flight',
    unit: 'a delivery',
    program: ['fanout', 'load.ts'],
    args: ['esdb-gater', JSON.stringify({ subscribers: 10, topics: 1, inFlight: 64, messages: 40_000 })],
  },
] as const;

/** What the export of traces and metrics by OpenTelemetry costs a gateway: the same load with it and without it. */
export async function benchTelemetry(rounds: number): Promise<void> {
  const sink = await startSink();
  const exporting = (share: string) => ({
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: share,
  });
  const variants: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    [OFF]: {},
    'on, 1 % of the traces': exporting('0.01'),
    'on, all traces': exporting('1'),
  };
  const rows: string[][] = [];
  for (const { name, unit, program, args } of SCENARIOS) {
    const file = join(import.meta.dirname, '..', ...program);
    const contestants = Object.entries(variants).map(
      ([variant, environment]): Contestant => ({
        name: variant,
        run: () => runChild(file, args, environment),
      }),
    );
    const figures = await interleave(name, contestants, rounds);
    for (const variant of Object.keys(variants)) {
      rows.push([
        name,
        variant,
        `${spreadText(spreadOf(valuesOf(figures, variant, 'cpuMicros')))} ${unit}`,
        variant === OFF ? '' : spreadText(spreadOf(ratios(figures, variant, OFF, 'cpuMicros'))),
      ]);
    }
  }
  if (sink.requests() === 0) throw new Error('nothing was exported');
  sink.close();
  writeSection(
    'What telemetry costs',
    [
      'The gateway with its defaults, and with OpenTelemetry exporting over OTLP to a server that discards what it gets, in another process. Metrics and logs are exported whatever share of the traces is sampled. Server CPU, from the accounting of the operating system.',
    ],
    ['load', 'OpenTelemetry', 'µs of server CPU', 'on / off'],
    rows,
  );
}

interface Sink {
  readonly url: string;
  requests(): number;
  close(): void;
}

/** A server that accepts everything and keeps nothing. */
async function startSink(): Promise<Sink> {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    request.resume().once('end', () => response.end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
