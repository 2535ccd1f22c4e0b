import type { EventStore } from '@esdb-gater/types';
import { GaterError } from '@esdb-gater/types';
import { append } from './stores.ts';

/** An append that was acknowledged. */
export interface Acknowledged {
  readonly id: string;
  readonly streamId: string;
  readonly version: number;
  readonly position: number;
}

/** Writers that append without pause, each to a stream of its own, and repeat what failed with the same event id. */
export interface Load {
  /** Resolves when so many more appends were acknowledged. */
  afterMore(count: number): Promise<void>;
  /** Ends the writers, and resolves with all that was acknowledged. */
  stop(): Promise<readonly Acknowledged[]>;
}

export function createLoad(store: EventStore, writers: number): Load {
  const acknowledged: Acknowledged[] = [];
  const waiting: { readonly at: number; readonly resolve: () => void }[] = [];
  let stopped = false;
  const write = async (streamId: string): Promise<void> => {
    for (let expectedVersion = -1; !stopped; expectedVersion += 1) {
      const id = crypto.randomUUID();
      const { version, position } = await appendUntilDone(store, streamId, expectedVersion, id);
      acknowledged.push({ id, streamId, version, position });
      while (waiting[0] !== undefined && acknowledged.length >= waiting[0].at) waiting.shift()?.resolve();
    }
  };
  const running = Promise.all(Array.from({ length: writers }, (_, index) => write(`writer-${index}`)));
  return {
    afterMore(count) {
      const reached = new Promise<void>((resolve) => {
        waiting.push({ at: acknowledged.length + count, resolve });
      });
      // A writer that fails must not leave the caller waiting.
      return Promise.race([reached, running.then(() => undefined)]);
    },
    async stop() {
      stopped = true;
      await running;
      return acknowledged;
    },
  };
}

async function appendUntilDone(store: EventStore, streamId: string, expectedVersion: number, id: string) {
  for (;;) {
    try {
      return await append(store, streamId, { id, expectedVersion });
    } catch (error) {
      if (!GaterError.is(error) || !error.retriable) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
