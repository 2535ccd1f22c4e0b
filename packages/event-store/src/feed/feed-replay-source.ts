import type { CallContext, JsonValue, ReadAllParams, StorePage } from '@esdb-gater/types';
import { LIMITS } from '@esdb-gater/types';
import { compileFeedTopic, DEFAULT_FEED_TOPIC, type FeedTopic } from './feed-topic.ts';

/** A store whose fed events can be read again: an `EventStore`, or functions that ask whichever worker serves it. */
export interface FedStore {
  readonly storeId: string;
  readAll(params: ReadAllParams, context?: CallContext): Promise<StorePage>;
  /** True when its events end with this process. @default false */
  readonly ephemeral?: boolean;
}

export interface FeedReplaySourceOptions {
  /** The setting `feed.topic`. @default '{storeId}.{streamId}.{type}' */
  readonly topicTemplate?: string;
}

/** An event as the feed publishes it, read again from its store. */
export interface FedEvent {
  readonly topic: string;
  /** The event's id. */
  readonly id: string;
  /** ISO 8601 with milliseconds and `Z`. */
  readonly time: string;
  readonly message: JsonValue;
  /** In its store. */
  readonly position: number;
}

/** The stores whose events are fed: what an in-process broker replays the channel `events` from. */
export interface FeedReplaySource {
  /** The stores that are fed. */
  stores(): readonly string[];
  /** True for a store that ends with this process. */
  ephemeral(storeId: string): boolean;
  /** The events after `after` up to and with `until`, in pages and in order. @throws what the store's reads throw */
  read(
    storeId: string,
    after: number,
    until: number,
    options?: { readonly signal?: AbortSignal },
  ): AsyncIterable<readonly FedEvent[]>;
  /** The position of the last event before `time` (RFC 3339), 0 when there is none. About log2 of the events reads. */
  positionAtTime(storeId: string, time: string): Promise<number>;
  /** The newest position of a store. */
  newest(storeId: string): Promise<number>;
}

/**
 * @param stores the fed stores of the moment; asked again at each call, as stores of remote workers come and go
 * @throws `invalid_argument` (reason `feed_topic`)
 */
export function createFeedReplaySource(
  stores: () => readonly FedStore[],
  options: FeedReplaySourceOptions = {},
): FeedReplaySource {
  return new StoreReplaySource(stores, compileFeedTopic(options.topicTemplate ?? DEFAULT_FEED_TOPIC));
}

class StoreReplaySource implements FeedReplaySource {
  readonly #stores: () => readonly FedStore[];
  readonly #topic: FeedTopic;

  constructor(stores: () => readonly FedStore[], topic: FeedTopic) {
    this.#stores = stores;
    this.#topic = topic;
  }

  stores(): readonly string[] {
    return this.#stores().map((store) => store.storeId);
  }

  ephemeral(storeId: string): boolean {
    return this.#find(storeId)?.ephemeral ?? false;
  }

  async *read(
    storeId: string,
    after: number,
    until: number,
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<readonly FedEvent[]> {
    const store = this.#find(storeId);
    let next: number | undefined = after;
    while (store !== undefined && next !== undefined && next < until) {
      const limit = Math.min(LIMITS.pageCount, until - next);
      const page: StorePage = await store.readAll({ storeId, after: next, limit }, options);
      const events = page.events.filter((event) => event.position <= until);
      if (events.length > 0) {
        yield events.map((event) => ({
          topic: this.#topic(event),
          id: event.id,
          time: event.timestamp,
          message: event as unknown as JsonValue,
          position: event.position,
        }));
      }
      next = page.next;
    }
  }

  async positionAtTime(storeId: string, time: string): Promise<number> {
    const wanted = Date.parse(time);
    // Times never decrease along positions: everything up to `before` is earlier, what follows `notBefore` is not.
    let before = 0;
    let notBefore = await this.newest(storeId);
    while (before < notBefore) {
      const middle = Math.floor((before + notBefore) / 2);
      const event = (await this.#find(storeId)?.readAll({ storeId, after: middle, limit: 1 }))?.events[0];
      // Positions of a remote store may have holes: the event found may lie behind the middle.
      if (event === undefined || Date.parse(event.timestamp) >= wanted) notBefore = middle;
      else before = event.position;
    }
    return before;
  }

  async newest(storeId: string): Promise<number> {
    // A page that begins after the end has no events, and says where the end is.
    const params = { storeId, after: Number.MAX_SAFE_INTEGER, limit: 1 };
    return (await this.#find(storeId)?.readAll(params))?.lastPosition ?? 0;
  }

  #find(storeId: string): FedStore | undefined {
    return this.#stores().find((store) => store.storeId === storeId);
  }
}
