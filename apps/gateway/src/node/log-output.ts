import type { Clock } from '@esdb-gater/types';

/** The members of a writable stream that a log uses. */
export interface LogStream {
  readonly writableLength: number;
  write(text: string, done?: () => void): boolean;
  once(event: 'drain', listener: () => void): unknown;
  on(event: 'error', listener: () => void): unknown;
}

export interface LogOutputOptions {
  /** Maximum unread bytes; beyond it lines are dropped and counted. @default 4 MiB */
  readonly maxBytes?: number;
  /** Formats a line of JSON for the output. @default the line itself */
  readonly format?: (line: string) => string;
}

/** Writes log lines. Never blocks: when the reader stalls, lines are dropped and the service continues. */
export interface LogOutput {
  write(line: string): void;
  /** Resolves when the system has taken everything, or after `timeoutMs`. */
  flush(timeoutMs: number): Promise<void>;
  /** Lines that were dropped so far. */
  readonly dropped: number;
}

const MAX_BYTES = 4_194_304;

/** Streams whose errors are ignored: each has one listener, however many gateways of a process write to it. */
const guarded = new WeakSet<LogStream>();

/** Creates the output that writes to `stream`. Ignores its errors, such as a reader that has ended. */
export function createLogOutput(
  stream: LogStream,
  clock: Pick<Clock, 'now' | 'setTimer'>,
  options: LogOutputOptions = {},
): LogOutput {
  const { maxBytes = MAX_BYTES, format = (line) => line } = options;
  let dropped = 0;
  let untold = 0;
  if (!guarded.has(stream)) stream.on('error', () => undefined);
  guarded.add(stream);

  /** Writes how many lines are missing, as soon as there is room. */
  function tellDropped(): void {
    const count = untold;
    untold = 0;
    const line = {
      level: 40,
      time: clock.now(),
      count,
      msg: 'dropped log lines because the reader is too slow',
    };
    stream.write(format(`${JSON.stringify(line)}\n`));
  }

  return {
    write(line) {
      if (stream.writableLength >= maxBytes) {
        if (untold === 0) stream.once('drain', tellDropped);
        dropped++;
        untold++;
        return;
      }
      stream.write(format(line));
    },
    flush(timeoutMs) {
      if (stream.writableLength === 0) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = clock.setTimer(resolve, timeoutMs);
        // The callback of an empty write comes after everything before it was written.
        stream.write('', () => {
          timer.cancel();
          resolve();
        });
      });
    },
    get dropped() {
      return dropped;
    },
  };
}

/**
 * Makes writes to a terminal asynchronous, like those to a pipe. Node writes to terminals synchronously, so that a
 * terminal that is held (Ctrl-S) would block the process. Node has no public option for this, but the stream's handle
 * has one.
 */
export function unblock(stream: object): void {
  const { _handle: handle } = stream as { readonly _handle?: { setBlocking?(blocking: boolean): void } };
  handle?.setBlocking?.(false);
}
