import { createInterface } from 'node:readline';
import { ended, spawnCli } from './gateway-process.ts';

/** A store worker in a separate process, started as a user would. */
export interface WorkerProcess {
  readonly pid: number;
  /** What it has printed on standard output, one value per gateway that has registered it. */
  readonly serving: readonly Readonly<Record<string, unknown>>[];
  readonly errors: readonly string[];
  /** Resolves when it is registered with so many gateways. */
  until(gateways: number): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  kill9(): Promise<void>;
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>;
}

/** Starts `esdb-gater worker` with these flags; use `until` to wait for it. */
export function startWorkerProcess(
  flags: readonly string[],
  env: Readonly<Record<string, string>> = {},
): WorkerProcess {
  const child = spawnCli(['worker', ...flags], env, ['pipe', 'pipe', 'pipe']);
  const serving: Record<string, unknown>[] = [];
  const errors: string[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    serving.push(JSON.parse(line) as Record<string, unknown>);
    for (const check of waiting) check();
  });
  createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => errors.push(line));
  return {
    pid: child.pid as number,
    serving,
    errors,
    until: (gateways) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (serving.length < gateways) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        child.once('exit', (code) =>
          reject(new Error(`the worker ended with ${code}: ${errors.join('\n')}`)),
        );
        check();
      }),
    signal: (signal) => void child.kill(signal),
    kill9: async () => void (await ended(child, 'SIGKILL')),
    stop: () => ended(child, 'SIGTERM'),
  };
}
