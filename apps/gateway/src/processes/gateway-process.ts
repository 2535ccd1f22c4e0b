import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { finishesWithin } from '@esdb-gater/primitives';
import { type Clock, GaterError } from '@esdb-gater/types';
import type { ListeningProcess, ToProcess, ToSupervisor } from './process-messages.ts';

/** How a process ended: its exit code, or the signal that ended it. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A gateway process of a supervisor. */
export interface GatewayProcess {
  readonly number: number;
  readonly pid: number | undefined;
  /** Where it listens; undefined before. */
  readonly listening: ListeningProcess | undefined;
  /** Resolves when it serves. @throws the error with which it could not start */
  readonly ready: Promise<void>;
  /** Resolves when it has ended. */
  readonly ended: Promise<ProcessEnd>;
  send(message: ToProcess): void;
  /** Stops it gracefully, by force after `timeoutMs`. */
  stop(timeoutMs: number): Promise<void>;
  kill(): void;
}

export interface GatewayProcessOptions {
  readonly start: Extract<ToProcess, { readonly kind: 'start' }>;
  /** Is called with each line of its log. */
  readonly onLog: (line: string) => void;
  readonly onListening: () => void;
  readonly clock: Clock;
}

/** Starts a gateway process. It ends with this one, however this one ends. */
export function startGatewayProcess(options: GatewayProcessOptions): GatewayProcess {
  const { start, onLog, onListening, clock } = options;
  // Tests run the sources: the process must then resolve the sources of the other packages too.
  const fromSources = import.meta.url.endsWith('.ts');
  const file = new URL(`./process-main.${fromSources ? 'ts' : 'js'}`, import.meta.url);
  const child: ChildProcess = fork(fileURLToPath(file), [], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    ...(fromSources ? { execArgv: ['--conditions=@esdb-gater/source'] } : {}),
  });
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => undefined);
  let listening: ListeningProcess | undefined;
  const ended = new Promise<ProcessEnd>((resolve) => {
    // Behind the last line of its log.
    child.once('close', (code, signal) => resolve({ code, signal }));
    // It could not be started at all.
    child.once('error', (error) => {
      ready.reject(
        new GaterError('unavailable', `cannot start a process: ${error.message}`, { cause: error }),
      );
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
  });
  void ended.then(({ code, signal }) => {
    const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
    ready.reject(
      new GaterError('unavailable', `gateway process ${start.number} ended ${how} before it was ready`),
    );
  });
  if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', onLog);
  child.on('message', (message: ToSupervisor) => {
    switch (message.kind) {
      case 'listening': {
        const { kind, ...where } = message;
        listening = where;
        onListening();
        break;
      }
      case 'ready':
        ready.resolve();
        break;
      case 'failed':
        ready.reject(GaterError.fromData(message.message, message.data));
    }
  });
  const send = (message: ToProcess): void => {
    // One that is just ending gets nothing more.
    if (child.connected) child.send(message, () => undefined);
  };
  send(start);
  return {
    number: start.number,
    pid: child.pid,
    get listening() {
      return listening;
    },
    ready: ready.promise,
    ended,
    send,
    async stop(timeoutMs) {
      send({ kind: 'stop' });
      if (await finishesWithin(ended, timeoutMs, clock)) return;
      child.kill('SIGKILL');
      await ended;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
