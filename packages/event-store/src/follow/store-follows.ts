import { checkFollowStart } from '@esdb-gater/primitives';
import { type Clock, GaterError, type Logger, silentLogger } from '@esdb-gater/types';
import type { StoreTail } from '../tail/store-tail.ts';
import type { FollowStore } from './follow-store.ts';
import { Follower, type FollowSink, type FollowStart } from './follower.ts';
import { LiveEvents, type LiveEventsOptions } from './live-events.ts';
import { StreamPages } from './stream-pages.ts';

/** What is followed, and from where. */
export interface FollowParams extends FollowStart {
  /** The id of the event at `after`: a proof that the store still has the history that the position belongs to. */
  readonly afterId?: string;
}

/** One follow of a store. */
export interface Follow {
  /** Begins to read and send. */
  begin(): void;
  close(): void;
}

/** The follows of one store. */
export interface StoreFollows {
  /**
   * Adds a follow, which begins with `begin`.
   *
   * @throws `invalid_argument` (reason `position_lost`) when the store ends before `after`, or has another event there;
   * what `readAll` of the store throws
   */
  follow(params: FollowParams, sink: FollowSink): Promise<Follow>;
  /** How many there are. */
  readonly size: number;
  /** Ends all of them. */
  close(): void;
}

export interface StoreFollowsComponents {
  readonly store: FollowStore;
  /** The shared reader of the same store. It is not closed. */
  readonly tail: StoreTail;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** @default Math.random */
  readonly random?: () => number;
}

/** Creates the follows of a store. They read nothing while there are none. */
export function createStoreFollows(
  components: StoreFollowsComponents,
  options: LiveEventsOptions = {},
): StoreFollows {
  const { store, tail, logger = silentLogger } = components;
  const { storeId } = store;
  const live = new LiveEvents(tail, options, logger);
  const pages = new StreamPages(components);
  const followers = new Set<Follower>();

  /** @returns the newest position of the store */
  async function checkStart(start: FollowParams): Promise<number> {
    const newest = await tail.newest();
    await checkFollowStart(start, newest, (after) => store.readAll({ storeId, after, limit: 1 }));
    return newest;
  }

  return {
    async follow(params, sink) {
      const newest = await checkStart(params);
      const follower = new Follower({ tail, live, pages, sink }, params);
      followers.add(follower);
      return {
        begin() {
          follower.run(newest).catch((error: unknown) => {
            logger.error({ err: error, storeId }, 'a follow of a store has failed');
            sink.failed(GaterError.from(error));
          });
        },
        close() {
          followers.delete(follower);
          follower.close();
        },
      };
    },
    get size() {
      return followers.size;
    },
    close() {
      for (const follower of followers) follower.close();
      followers.clear();
      live.close();
    },
  };
}
