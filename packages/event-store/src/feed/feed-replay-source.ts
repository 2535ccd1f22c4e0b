import {
  type CallContext,
  type Clock,
  type EventStore,
  type FedEvent,
  type FeedReadOptions,
  type FeedReplaySource,
  type JsonValue,
  type ReadAllParams,
  type RecordedEvent,
  type StorePage,
  type StorePoint,
  systemClock,
} from '@esdb-gater/types';
import { EventPoint } from '../tail/event-proof.ts';
import { PageSharing, SHARED_PAGE_EVENTS } from '../tail/page-sharing.ts';
import { StoreHistory } from '../tail/store-history.ts';
import { compileFeedTopic, DEFAULT_FEED_TOPIC, type FeedTopic } from './feed-topic.ts';
import { type CanMatch, compileStoreTopics } from './store-topics.ts';

/** A store whose fed events can be read again: an `EventStore`, or functions that ask whichever worker serves it. */
export interface FedStore {
  readonly storeId: string;
  readAll(params: ReadAllParams, context?: CallContext): Promise<StorePage>;
  /** True when its events end with this process. @default false */
  readonly ephemeral?: boolean;
  /** Returns where its feed goes on: everything up to there was published. @default the store's beginning */
  fedTo?(): Promise<StorePoint>;
}

/** Returns a store of this process as replays read it. `ephemeral`: its events end with the process. */
export function fedStore(store: EventStore, ephemeral: boolean): FedStore {
  return {
    storeId: store.storeId,
    readAll: (params, context) => store.readAll(params, context),
    ephemeral,
    fedTo: () => store.feedCheckpoint.load(),
  };
}

export interface FeedReplaySourceOptions {
  /** The setting `feed.topic`. @default '{storeId}.{streamId}.{type}' */
  readonly topicTemplate?: string;
  /** @default the platform's */
  readonly clock?: Pick<Clock, 'setTimer'>;
}

/**
 * Creates what an in-process broker replays the channel `events` from. Many replays share what they read.
 *
 * @param stores returns the fed stores; called again each time, as stores of remote workers come and go
 * @throws `invalid_argument` (reason `feed_topic`)
 */
export function createFeedReplaySource(
  stores: () => readonly FedStore[],
  options: FeedReplaySourceOptions = {},
): FeedReplaySource {
  const { topicTemplate = DEFAULT_FEED_TOPIC, clock = systemClock } = options;
  return new StoreReplaySource(stores, topicTemplate, clock);
}

const BEGINNING: StorePoint = Object.freeze({ position: 0 });

class StoreReplaySource implements FeedReplaySource {
  readonly canMatch: CanMatch;
  readonly #stores: () => readonly FedStore[];
  readonly #topic: FeedTopic;
  readonly #clock: Pick<Clock, 'setTimer'>;
  readonly #sharing = new WeakMap<FedStore, PageSharing<FedEvent>>();

  constructor(stores: () => readonly FedStore[], template: string, clock: Pick<Clock, 'setTimer'>) {
    this.#stores = stores;
    this.#clock = clock;
    this.#topic = compileFeedTopic(template);
    this.canMatch = compileStoreTopics(template);
  }

  stores(): readonly string[] {
    return this.#stores().map((store) => store.storeId);
  }

  ephemeral(storeId: string): boolean {
    return this.#find(storeId)?.ephemeral ?? false;
  }

  async fedTo(storeId: string): Promise<StorePoint> {
    return (await this.#find(storeId)?.fedTo?.()) ?? BEGINNING;
  }

  async proves(storeId: string, point: StorePoint): Promise<boolean> {
    const store = this.#find(storeId);
    if (store === undefined || point.proof === undefined) return true;
    return (await new StoreHistory(store).prove(point, {})) !== undefined;
  }

  async *read(
    storeId: string,
    after: number,
    until: number,
    { signal, matches, onReached }: FeedReadOptions = {},
  ): AsyncGenerator<readonly FedEvent[]> {
    const store = this.#find(storeId);
    if (store === undefined) return;
    const sharing = this.#sharingOf(store);
    let reached = after;
    while (reached < until && signal?.aborted !== true) {
      const from = reached;
      // A reader that has almost caught up would otherwise fall behind again while it waits for its turn.
      const isShort = until - from <= SHARED_PAGE_EVENTS;
      const page = await (isShort ? sharing.readUnkept(from) : sharing.read(from));
      const events = page.events.filter(({ position }) => position > from && position <= until);
      const wanted = matches === undefined ? events : events.filter(({ topic }) => matches(topic));
      if (page.upTo <= reached) return;
      reached = page.upTo;
      const last = events.at(-1);
      if (wanted.length > 0) yield wanted;
      else if (last !== undefined) onReached?.(last);
    }
  }

  async pointAtTime(storeId: string, time: string): Promise<StorePoint> {
    const wanted = Date.parse(time);
    const store = this.#find(storeId);
    if (store === undefined) return BEGINNING;
    // Times never decrease along positions: everything up to `before` is earlier, what follows `notBefore` is not.
    let before: StorePoint = BEGINNING;
    // A page that begins after the end has no events, and says where the end is.
    const end = await store.readAll({ storeId, after: Number.MAX_SAFE_INTEGER, limit: 1 });
    let notBefore = end.lastPosition;
    while (before.position < notBefore) {
      const middle = Math.floor((before.position + notBefore) / 2);
      const event = (await store.readAll({ storeId, after: middle, limit: 1 })).events[0];
      // Positions of a remote store may have holes, so the event may lie behind the middle.
      if (event === undefined || Date.parse(event.timestamp) >= wanted) notBefore = middle;
      else before = new EventPoint(event);
    }
    return before;
  }

  #sharingOf(store: FedStore): PageSharing<FedEvent> {
    let sharing = this.#sharing.get(store);
    if (sharing === undefined) {
      sharing = new PageSharing(store, (event) => new ReadEvent(event, this.#topic(event)), this.#clock);
      this.#sharing.set(store, sharing);
    }
    return sharing;
  }

  #find(storeId: string): FedStore | undefined {
    return this.#stores().find((store) => store.storeId === storeId);
  }
}

/** An event of a page as the feed publishes it. */
class ReadEvent extends EventPoint implements FedEvent {
  readonly topic: string;
  readonly id: string;
  readonly time: string;
  readonly message: JsonValue;

  constructor(event: RecordedEvent, topic: string) {
    super(event);
    this.topic = topic;
    this.id = event.id;
    this.time = event.timestamp;
    this.message = event as unknown as JsonValue;
  }
}
