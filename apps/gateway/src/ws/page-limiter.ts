import { Fifo, onNextTurn } from '@esdb-gater/primitives';
import type { OutboundBudget } from '../access/outbound-budget.ts';
import { hasLargeAnswer } from '../calls/large-answers.ts';

/** Pages that the gateway reads for one connection at the same time. */
const MAX_PAGES = 4;

/** Unsent bytes at which no further page is started. */
const MAX_BUFFERED_BYTES = 8 * 1_048_576;

/**
 * Starts the calls of one connection in order of arrival, but holds them back while enough pages are being read or wait to
 * be sent. Otherwise a thousand pipelined reads of a client that reads no answers would be a thousand pages in memory.
 */
export interface PageLimiter {
  /** Runs `start` now, or later in its turn. */
  run(method: string, start: () => unknown): unknown;
  /** Must be called when the socket can take more output. */
  drained(): void;
  /** Drops the calls that have not started: the connection has ended. */
  close(): void;
}

export function createPageLimiter(
  bufferedBytes: () => number,
  outbound: Pick<OutboundBudget, 'tryEnter' | 'leave' | 'whenRoom'>,
): PageLimiter {
  const queue = new Fifo<{ readonly isPage: boolean; readonly begin: () => void }>();
  let pages = 0;
  let waiting = false;

  /** Returns whether the next call may start. A page then has its room. */
  function isReady(isPage: boolean): boolean {
    if (!isPage) return true;
    if (pages >= MAX_PAGES || bufferedBytes() >= MAX_BUFFERED_BYTES) return false;
    if (outbound.tryEnter(pages > 0 || bufferedBytes() > 0)) return true;
    if (!waiting) outbound.whenRoom(retry);
    waiting = true;
    return false;
  }

  function retry(): void {
    waiting = false;
    pump();
  }

  function pump(): void {
    for (let next = queue.first; next !== undefined && isReady(next.isPage); next = queue.first) {
      queue.shift();
      next.begin();
    }
  }

  function begin(isPage: boolean, start: () => unknown): unknown {
    if (!isPage) return start();
    pages++;
    const done = (): void => {
      pages--;
      // The answer is written in this turn; then what of it waits is known.
      onNextTurn(() => outbound.leave(bufferedBytes()));
      pump();
    };
    return Promise.resolve().then(start).finally(done);
  }

  return {
    run(method, start) {
      const isPage = hasLargeAnswer(method);
      if (queue.length === 0 && isReady(isPage)) return begin(isPage, start);
      return new Promise((resolve, reject) => {
        queue.push({
          isPage,
          begin() {
            try {
              resolve(begin(isPage, start));
            } catch (error) {
              reject(error as Error);
            }
          },
        });
      });
    },
    drained: pump,
    close() {
      while (queue.length > 0) queue.shift();
    },
  };
}
