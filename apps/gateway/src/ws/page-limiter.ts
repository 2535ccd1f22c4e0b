import { Fifo } from '@esdb-gater/primitives';
import { factsOf } from '@esdb-gater/protocol';

/** Methods beside the paged ones whose answers may have a megabyte. */
const LARGE_ANSWERS: ReadonlySet<string> = new Set([
  'getStreams',
  'readSnapshot',
  'getSubscriptions',
  'listParked',
]);

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
}

export function createPageLimiter(bufferedBytes: () => number): PageLimiter {
  const queue = new Fifo<{ readonly isPage: boolean; readonly begin: () => void }>();
  let pages = 0;
  const isReady = (isPage: boolean): boolean =>
    !isPage || (pages < MAX_PAGES && bufferedBytes() < MAX_BUFFERED_BYTES);

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
      pump();
    };
    return Promise.resolve().then(start).finally(done);
  }

  return {
    run(method, start) {
      const isPage = factsOf(method)?.paged === true || LARGE_ANSWERS.has(method);
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
  };
}
