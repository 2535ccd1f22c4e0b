import { nextTurn, sleep } from '@esdb-gater/primitives';
import type { Clock, FedEvent, RecordedEvent } from '@esdb-gater/types';
import { checkOrder } from './feed-history.ts';
import type { FedStore } from './feed-replay-source.ts';

/** A page of a store, and how far it reaches. */
export interface SharedPage {
  readonly events: readonly FedEvent[];
  /** The page has every event after its beginning up to here. */
  readonly upTo: number;
}

interface KeptPage {
  readonly after: number;
  readonly reading: Promise<SharedPage>;
  /** Undefined until the page is read. */
  upTo: number | undefined;
}

/** How many replays of a store hold a page at the same time. */
const MAX_TURNS = 2;

/** After this many turns in a row the replays pause, if many of them wait: they would keep the event loop busy. */
const TURNS_BEFORE_PAUSE = 8;
const PAUSE_MS = 1;

/** How many events a page has at most: few, as appends and live messages wait while a page is parsed. */
export const REPLAY_PAGE_EVENTS = 250;

/** How many pages of a store are kept for the replays that follow. A page has at most 8 MiB. */
const MAX_PAGES = 2;

/**
 * Reads the pages of a store for many replays at once. Few replays work at a time, in turns of one page, so that appends
 * and live messages never wait for more than a few pages. As turns go round, replays of the same events meet at the same
 * page, which is then read once for all of them.
 */
export class PageSharing {
  readonly #store: FedStore;
  readonly #toFedEvent: (event: RecordedEvent) => FedEvent;
  readonly #clock: Pick<Clock, 'setTimer'>;
  #turnsTaken = 0;
  /** The newest last. */
  #pages: KeptPage[] = [];
  #turns = 0;
  readonly #waiting: (() => void)[] = [];
  /** Pages that are being read without a turn, by their beginning. */
  readonly #unkept = new Map<number, Promise<SharedPage>>();

  constructor(
    store: FedStore,
    toFedEvent: (event: RecordedEvent) => FedEvent,
    clock: Pick<Clock, 'setTimer'>,
  ) {
    this.#store = store;
    this.#toFedEvent = toFedEvent;
    this.#clock = clock;
  }

  /**
   * Waits for a turn, and returns a page with the event after `after`, which other replays may get, too. The turn ends
   * when the caller next waits for something.
   */
  async read(after: number): Promise<SharedPage> {
    if (this.#turns < MAX_TURNS) this.#turns += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await this.#readKept(after);
    } finally {
      void this.#passOn();
    }
  }

  async #readKept(after: number): Promise<SharedPage> {
    const kept = this.#pages.find(
      (page) => page.after === after || (page.upTo !== undefined && page.after <= after && after < page.upTo),
    );
    if (kept !== undefined) return kept.reading;
    const page: KeptPage = { after, reading: this.#readPage(after), upTo: undefined };
    this.#pages = [...this.#pages, page].slice(-MAX_PAGES);
    try {
      const { events, upTo } = await page.reading;
      page.upTo = upTo;
      if (events.length === 0) this.#forget(page);
      return { events, upTo };
    } catch (error) {
      this.#forget(page);
      throw error;
    }
  }

  /** Reads a page without a turn. Shares it only while it is being read. */
  readUnkept(after: number): Promise<SharedPage> {
    let reading = this.#unkept.get(after);
    if (reading === undefined) {
      reading = this.#readPage(after).finally(() => this.#unkept.delete(after));
      this.#unkept.set(after, reading);
    }
    return reading;
  }

  async #readPage(after: number): Promise<SharedPage> {
    const { storeId } = this.#store;
    // Without the signal of one replay, as others may wait for the same page.
    const page = await this.#store.readAll({ storeId, after, limit: REPLAY_PAGE_EVENTS });
    checkOrder(page, after);
    const last = page.events.at(-1)?.position ?? after;
    return {
      events: page.events.map(this.#toFedEvent),
      upTo: page.next === undefined ? Math.max(last, page.lastPosition) : last,
    };
  }

  #forget(page: KeptPage): void {
    this.#pages = this.#pages.filter((one) => one !== page);
  }

  /** Gives the turn to the replay that waits longest, once the event loop has done other work. */
  async #passOn(): Promise<void> {
    this.#turnsTaken += 1;
    const isPause = this.#turnsTaken % TURNS_BEFORE_PAUSE === 0 && this.#waiting.length >= TURNS_BEFORE_PAUSE;
    await (isPause ? sleep(PAUSE_MS, this.#clock, undefined) : nextTurn());
    const next = this.#waiting.shift();
    if (next !== undefined) return next();
    this.#turns -= 1;
    // Without replays nobody needs the pages.
    if (this.#turns === 0) this.#pages = [];
  }
}
