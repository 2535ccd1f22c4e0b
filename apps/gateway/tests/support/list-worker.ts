import { randomUUID } from 'node:crypto';
import { type RawClient, rawConnect } from './raw-client.ts';

/** A store in memory with a worker that can disconnect and return. */
export interface ListStore {
  /** Its events, by position; replace it to begin the store anew. */
  events: { readonly position: number; readonly [member: string]: unknown }[];
  /** Changes every page before it is sent. */
  distort: (page: object) => object;
  commit(count: number, time?: string): void;
  /** Registers a worker on a new connection. */
  serve(url: string): Promise<RawClient>;
}

export function createListStore(storeId: string, storeUuid?: string): ListStore {
  const store: ListStore = {
    events: [],
    distort: (page) => page,
    commit(count, time = new Date().toISOString()) {
      for (let n = 0; n < count; n++) {
        const position = (store.events.at(-1)?.position ?? 0) + 1;
        store.events.push({
          id: randomUUID(),
          type: 'counted',
          storeId,
          streamId: 's',
          version: position - 1,
          position,
          data: { position },
          metadata: {},
          tags: [],
          timestamp: time,
          epochUs: Date.parse(time) * 1_000,
        });
      }
    },
    async serve(url) {
      const worker = await rawConnect(url);
      worker.serve(({ method, params }) => {
        if (method === 'quickHealthCheck') return {};
        const { after = 0, limit = 100 } = params as { after?: number; limit?: number };
        const rest = store.events.filter(({ position }) => position > after);
        const events = rest.slice(0, limit);
        const last = events.at(-1)?.position;
        const newest = store.events.at(-1)?.position ?? 0;
        const isEnd = events.length === rest.length;
        return store.distort({
          events,
          lastPosition: isEnd ? newest : last,
          ...(isEnd ? {} : { next: last }),
        });
      });
      const { error } = await worker.call('registerWorker', {
        storeId,
        ...(storeUuid === undefined ? {} : { storeUuid }),
      });
      if (error !== undefined) throw new Error(error.message);
      return worker;
    },
  };
  return store;
}
