import { retryUntilAborted } from '@esdb-gater/primitives';
import { type Clock, GaterError, type ParkedRecord, type RecordedEvent } from '@esdb-gater/types';
import type { SubscribedStore } from './subscribed-store.ts';

/** How many replayed events are unsettled at a time: few, so that they never starve the live ones. */
const REPLAYED_AT_ONCE = 10;

/** How many records are read at a time. */
const PAGE_RECORDS = 100;

/** Settled replays are forgotten together. */
const UNPARK_DELAY_MS = 100;
const UNPARK_AT = 100;

const RETRY_BASE_MS = 100;
const RETRY_MAX_MS = 5_000;

export interface ParkedEventsComponents {
  readonly store: SubscribedStore;
  readonly name: string;
  readonly clock: Clock;
  /** Delivers an event again. */
  readonly replay: (event: RecordedEvent, attempts: number) => void;
  /** Told when the store does not take what must be kept, and when it does again. */
  readonly onTrouble: (message: string | undefined) => void;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

/** The parked events of a subscription: keeps them, and delivers those that are to be replayed a few at a time. */
export class ParkedEvents {
  readonly #components: ParkedEventsComponents;
  /** Positions that are being replayed, those that are settled included. */
  readonly #replayed = new Set<number>();
  /** Positions that are settled, but not yet forgotten by the store. */
  readonly #settled = new Set<number>();
  /** The next to be replayed. */
  #queue: ParkedRecord[] = [];
  /** Where the next page of records begins. */
  #after = 0;
  #wanted = true;
  #unparking: Promise<void> | undefined;
  #running = false;
  #paused = true;
  /** Counts the pauses: what was loaded before one is not delivered. */
  #turn = 0;

  constructor(components: ParkedEventsComponents) {
    this.#components = components;
  }

  /** Parks an event. Resolves to false when the subscription ended before it was kept. */
  async park(record: ParkedRecord): Promise<boolean> {
    const { store, name } = this.#components;
    const kept = await this.#persist(() => store.subscriptionState.park(name, record).then(() => true));
    if (this.#replayed.delete(record.position)) void this.#run();
    return kept === true;
  }

  /** Tells that a replayed event needs no more. */
  settled(position: number): void {
    this.#settled.add(position);
    if (this.#settled.size >= UNPARK_AT) void this.flush();
    else this.#unparking ??= this.#unparkSoon();
    void this.#run();
  }

  /** Looks for events that are to be replayed. */
  wake(): void {
    this.#wanted = true;
    this.#after = 0;
    this.#queue = [];
    void this.#run();
  }

  /** Lets replays go on, once there are consumers. */
  resume(): void {
    this.#paused = false;
    this.wake();
  }

  /** Stops replays. With `forget` those under way begin again. */
  pause(forget: boolean): void {
    this.#paused = true;
    if (!forget) return;
    this.#turn += 1;
    this.#queue = [];
    this.#replayed.clear();
    for (const position of this.#settled) this.#replayed.add(position);
  }

  /** Forgets what was settled. Resolves when that is kept. */
  async flush(): Promise<void> {
    const { store, name } = this.#components;
    const positions = [...this.#settled];
    if (positions.length === 0) return;
    this.#settled.clear();
    await store.subscriptionState.unpark(name, positions).then(
      () => {
        for (const position of positions) this.#replayed.delete(position);
        void this.#run();
      },
      () => {
        for (const position of positions) this.#settled.add(position);
      },
    );
  }

  async #unparkSoon(): Promise<void> {
    const { clock } = this.#components;
    const { promise, resolve } = Promise.withResolvers<void>();
    clock.setTimer(resolve, UNPARK_DELAY_MS, { unref: true });
    await promise;
    this.#unparking = undefined;
    await this.flush();
    if (this.#settled.size > 0) this.#unparking ??= this.#unparkSoon();
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#hasRoom && (this.#queue.length > 0 || this.#wanted)) {
        const isGoingOn = await (this.#queue.length > 0 ? this.#replayNext() : this.#list());
        if (!isGoingOn) return;
      }
    } finally {
      this.#running = false;
    }
  }

  get #hasRoom(): boolean {
    const unsettled = this.#replayed.size - this.#settled.size;
    return !this.#paused && !this.#components.signal.aborted && unsettled < REPLAYED_AT_ONCE;
  }

  /** Reads the next records. Returns false when the subscription ended. */
  async #list(): Promise<boolean> {
    const { store, name } = this.#components;
    const after = this.#after;
    this.#wanted = false;
    const filter = { replaying: true, after, limit: PAGE_RECORDS };
    const page = await this.#persist(() => store.subscriptionState.listParked(name, filter));
    if (page === undefined) return false;
    // Somebody has asked for a replay meanwhile: the list begins again.
    if (this.#wanted) return true;
    this.#queue = page.records.filter(({ position }) => !this.#replayed.has(position));
    this.#wanted = page.more;
    this.#after = page.records.at(-1)?.position ?? 0;
    return true;
  }

  async #replayNext(): Promise<boolean> {
    const { store, replay } = this.#components;
    const turn = this.#turn;
    const record = this.#queue.shift();
    if (record === undefined || this.#replayed.has(record.position)) return true;
    this.#replayed.add(record.position);
    const loaded = await this.#persist(async () => ({ event: await loadParked(store, record) }));
    if (loaded === undefined) return false;
    if (turn !== this.#turn) return true;
    if (loaded.event === undefined) this.settled(record.position);
    else replay(loaded.event, record.attempts);
    return true;
  }

  #persist<Result>(attempt: () => Promise<Result>): Promise<Result | undefined> {
    const { clock, signal, onTrouble } = this.#components;
    const trial = async (): Promise<Result> => {
      const result = await attempt();
      onTrouble(undefined);
      return result;
    };
    return retryUntilAborted(trial, {
      clock,
      signal,
      backoff: (failures) => Math.min(RETRY_BASE_MS * 2 ** failures, RETRY_MAX_MS),
      onFailure: (error) => onTrouble(`waiting for the store: ${GaterError.from(error).message}`),
    });
  }
}

/** Reads the event of a record again; undefined when the store has another one there, as a restored store may. */
export async function loadParked(
  store: SubscribedStore,
  { position, eventId }: ParkedRecord,
): Promise<RecordedEvent | undefined> {
  const { events } = await store.readAll({ storeId: store.storeId, after: position - 1, limit: 1 });
  const [event] = events;
  return event?.position === position && event.id === eventId ? event : undefined;
}
