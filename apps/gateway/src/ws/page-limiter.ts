import { Fifo } from '@esdb-gater/primitives';
import { factsOf } from '@esdb-gater/protocol';

/** Pages that one connection may have read at once. */
const MAX_PAGES = 4;

/** Unsent bytes at which no further page is begun. */
const MAX_BUFFERED_BYTES = 8 * 1_048_576;

/**
 * Starts the calls of one connection in the order in which they came, but holds them back while pages enough are
 * being read or wait to be sent. A thousand pipelined reads by a client that does not take the answers would
 * otherwise be a thousand pages in memory.
 */
export interface PageLimiter {
  /** Runs `start` now, or when it is its turn. */
  run(method: string, start: () => unknown): unknown;
  /** To be called when the socket has room again. */
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
      const isPage = factsOf(method)?.paged === true;
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
