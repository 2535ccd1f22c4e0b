import type { Clock } from '@esdb-gater/types';

/** The part of a writable stream that a log needs. */
export interface LogStream {
  readonly writableLength: number;
  write(text: string, done?: () => void): boolean;
  once(event: 'drain', listener: () => void): unknown;
  on(event: 'error', listener: () => void): unknown;
}

export interface LogOutputOptions {
  /** Bytes that may wait for the reader; lines that come while more waits are dropped and counted. @default 4 MiB */
  readonly maxBytes?: number;
  /** Turns a line of JSON into what is written. @default the line itself */
  readonly format?: (line: string) => string;
}

/** Where log lines go. Never blocks: a reader that stalls costs lines, not the service. */
export interface LogOutput {
  write(line: string): void;
  /** Resolves when everything has been handed to the system, or after `timeoutMs`. */
  flush(timeoutMs: number): Promise<void>;
  /** Lines that were dropped so far. */
  readonly dropped: number;
}

const MAX_BYTES = 4_194_304;

/** Creates the output that writes to `stream`. Its errors, such as a reader that is gone, are ignored. */
export function createLogOutput(
  stream: LogStream,
  clock: Pick<Clock, 'now' | 'setTimer'>,
  options: LogOutputOptions = {},
): LogOutput {
  const { maxBytes = MAX_BYTES, format = (line) => line } = options;
  let dropped = 0;
  let untold = 0;
  stream.on('error', () => undefined);

  /** Says how many lines are missing, as soon as there is room to say so. */
  function tellDropped(): void {
    const count = untold;
    untold = 0;
    const line = { level: 40, time: clock.now(), count, msg: 'log lines were dropped: nobody read them' };
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
        // An empty write is done when everything before it is.
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
 * Makes writes to a terminal asynchronous, as those to a pipe are. Node writes to terminals synchronously, so that one that
 * is held (Ctrl-S) would stop the process; there is no public switch, but the handle of such a stream has one.
 */
export function unblock(stream: object): void {
  const { _handle: handle } = stream as { readonly _handle?: { setBlocking?(blocking: boolean): void } };
  handle?.setBlocking?.(false);
}
