import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { collectorBinary } from './build.ts';

export interface CollectorPorts {
  readonly http: number;
  readonly grpc: number;
}

export interface RunningCollector {
  /** Its log, with at least warnings and errors. */
  readonly log: readonly string[];
  stop(): Promise<void>;
}

const READY = 'Everything is ready';
const READY_WITHIN_MS = 30_000;

/**
 * Starts the Collector that was built, and resolves once it receives OTLP over HTTP and gRPC on the ports.
 *
 * @param forwardTo the OTLP/HTTP endpoint that receives the parsed data as JSON
 */
export async function startCollector(ports: CollectorPorts, forwardTo: string): Promise<RunningCollector> {
  const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-collector-'));
  const file = join(folder, 'config.yaml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(configuration(ports, forwardTo)));
  const child = spawn(collectorBinary(), ['--config', `file:${file}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const log: string[] = [];
  const lines = createInterface({ input: child.stderr });
  lines.on('line', (line) => log.push(line));
  const stop = async (): Promise<void> => {
    process.removeListener('exit', kill);
    await ended(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const signal = AbortSignal.timeout(READY_WITHIN_MS);
    while (!log.some((line) => line.includes(READY))) {
      await Promise.race([once(lines, 'line', { signal }), gone(child)]);
    }
  } catch (error) {
    await stop();
    throw new Error(`the Collector did not start: ${log.at(-1) ?? 'it said nothing'}`, { cause: error });
  }
  return { log, stop };
}

function configuration({ http, grpc }: CollectorPorts, forwardTo: string): object {
  const pipeline = { receivers: ['otlp'], exporters: ['otlp_http'] };
  return {
    receivers: {
      otlp: {
        protocols: { http: { endpoint: `127.0.0.1:${http}` }, grpc: { endpoint: `127.0.0.1:${grpc}` } },
      },
    },
    exporters: {
      otlp_http: {
        endpoint: forwardTo,
        encoding: 'json',
        compression: 'none',
        sending_queue: { enabled: false },
        retry_on_failure: { enabled: false },
      },
    },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: { traces: pipeline, metrics: pipeline },
    },
  };
}

async function gone(child: ChildProcess): Promise<never> {
  const [code] = (await once(child, 'exit')) as [number | null];
  throw new Error(`it ended with ${code}`);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}
