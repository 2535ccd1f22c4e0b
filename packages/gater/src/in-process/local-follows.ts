import { onAbort } from '@esdb-gater/primitives';
import { type FollowEventsParams, validateParams } from '@esdb-gater/protocol';
import type { Clock, RecordedEvent, Registry } from '@esdb-gater/types';
import type { CallMethod, FollowOptions } from '../gater.ts';
import { followStore } from './store-follow.ts';
import { StoreWatch } from './store-watch.ts';

type Following = AsyncIterableIterator<RecordedEvent, undefined>;

export interface LocalFollows {
  /** Creates a follow, which begins with the first event that is asked for. @throws `invalid_argument` */
  open(params: FollowEventsParams, options?: FollowOptions): Following;
  /** Ends all of them. */
  close(): void;
}

/** Creates the follows of the stores of a registry. Those of one store share what they read. */
export function createLocalFollows(
  { registry, clock }: { readonly registry: Registry; readonly clock: Clock },
  call: CallMethod,
): LocalFollows {
  const watches = new Map<string, { readonly watch: StoreWatch; users: number }>();
  const closing = new AbortController();

  async function* follow(
    params: FollowEventsParams,
    options: FollowOptions,
    signal: AbortSignal,
  ): AsyncGenerator<RecordedEvent, undefined> {
    const { storeId } = params;
    const shared = watches.get(storeId) ?? { watch: new StoreWatch(registry, storeId, clock), users: 0 };
    watches.set(storeId, shared);
    shared.users += 1;
    try {
      yield* followStore({ call, watch: shared.watch, clock, signal }, params, options);
    } finally {
      shared.users -= 1;
      if (shared.users === 0) {
        shared.watch.close();
        watches.delete(storeId);
      }
    }
  }

  return {
    open(given, options = {}) {
      const params = validateParams('followEvents', given);
      const ending = new AbortController();
      const stopListening = onAbort(options.signal, () => ending.abort());
      const iterator = follow(params, options, AbortSignal.any([ending.signal, closing.signal]));
      const end = (): void => {
        stopListening();
        // Ends the waiting for an event, which `return` of a generator would wait for.
        ending.abort();
      };
      return {
        async next() {
          const result = await iterator.next();
          if (result.done === true) stopListening();
          return result;
        },
        async return() {
          end();
          return iterator.return(undefined);
        },
        [Symbol.asyncIterator]() {
          return this;
        },
      };
    },
    close: () => closing.abort(),
  };
}
