import { nextTurn, sleep } from '@esdb-gater/primitives';
import type { Clock, EventQuery, RecordedEvent } from '@esdb-gater/types';
import { checkOrder } from './store-history.ts';
import type { TailStore } from './tail-store.ts';

/** A page of a store, and how far it reaches. */
export interface SharedPage<Item> {
  readonly events: readonly Item[];
  /** The page has every event after its beginning up to here. Lies before the beginning when the store ends before it. */
  readonly upTo: number;
  /** True when the store had no more events. */
  readonly atEnd: boolean;
  /** What `stamp` returned before the read began: the page may be older than its receiver's question. */
  readonly stamp: number;
}

interface KeptPage<Item> {
  readonly after: number;
  /** The query as JSON, or the empty string. */
  readonly query: string;
  readonly reading: Promise<SharedPage<Item>>;
  /** Undefined until the page is read. */
  upTo: number | undefined;
}

/** How many readers of a store hold a page at the same time. */
const MAX_TURNS = 2;

/** After this many turns in a row the readers pause, if many of them wait: they would keep the event loop busy. */
const TURNS_BEFORE_PAUSE = 8;
const PAUSE_MS = 1;

/** How many events a page has at most: few, as appends and live messages wait while a page is parsed. */
export const SHARED_PAGE_EVENTS = 250;

/** How many pages of a store are kept for the readers that follow. A page has at most 8 MiB. */
const MAX_PAGES = 2;

/**
 * Reads the pages of a store for many readers at once. Few readers work at a time, in turns of one page, so that appends
 * and live messages never wait for more than a few pages. As turns go round, readers of the same events meet at the same
 * page, which is then read once for all of them.
 */
export class PageSharing<Item extends { readonly position: number }> {
  readonly #store: Pick<TailStore, 'storeId' | 'readAll'>;
  readonly #toItem: (event: RecordedEvent) => Item;
  readonly #clock: Pick<Clock, 'setTimer'>;
  readonly #stamp: () => number;
  #turnsTaken = 0;
  /** The newest last. */
  #pages: KeptPage<Item>[] = [];
  #turns = 0;
  readonly #waiting: (() => void)[] = [];
  /** Pages that are being read without a turn, by their beginning and query. */
  readonly #unkept = new Map<string, Promise<SharedPage<Item>>>();

  constructor(
    store: Pick<TailStore, 'storeId' | 'readAll'>,
    toItem: (event: RecordedEvent) => Item,
    clock: Pick<Clock, 'setTimer'>,
    stamp: () => number = () => 0,
  ) {
    this.#store = store;
    this.#toItem = toItem;
    this.#clock = clock;
    this.#stamp = stamp;
  }

  /**
   * Waits for a turn, and returns a page with the event after `after`, which other readers may get, too: it may begin
   * before `after`. The turn ends when the caller next waits for something.
   */
  async read(after: number, query?: EventQuery): Promise<SharedPage<Item>> {
    if (this.#turns < MAX_TURNS) this.#turns += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await this.#readKept(after, query);
    } finally {
      void this.#passOn();
    }
  }

  async #readKept(after: number, query: EventQuery | undefined): Promise<SharedPage<Item>> {
    const key = keyOf(query);
    const kept = this.#pages.find(
      (page) =>
        page.query === key &&
        (page.after === after || (page.upTo !== undefined && page.after <= after && after < page.upTo)),
    );
    if (kept !== undefined) return kept.reading;
    const page: KeptPage<Item> = {
      after,
      query: key,
      reading: this.#readPage(after, query),
      upTo: undefined,
    };
    this.#pages = [...this.#pages, page].slice(-MAX_PAGES);
    try {
      const shared = await page.reading;
      page.upTo = shared.upTo;
      if (shared.events.length === 0) this.#forget(page);
      return shared;
    } catch (error) {
      this.#forget(page);
      throw error;
    }
  }

  /** Reads a page without a turn. Shares it only while it is being read. */
  readUnkept(after: number, query?: EventQuery): Promise<SharedPage<Item>> {
    const key = `${after} ${keyOf(query)}`;
    let reading = this.#unkept.get(key);
    if (reading === undefined) {
      reading = this.#readPage(after, query).finally(() => this.#unkept.delete(key));
      this.#unkept.set(key, reading);
    }
    return reading;
  }

  async #readPage(after: number, query: EventQuery | undefined): Promise<SharedPage<Item>> {
    const { storeId } = this.#store;
    const stamp = this.#stamp();
    // Without the signal of one reader, as others may wait for the same page.
    const page = await this.#store.readAll({
      storeId,
      after,
      limit: SHARED_PAGE_EVENTS,
      ...(query === undefined ? {} : { query }),
    });
    checkOrder(page, after);
    const last = page.events.at(-1)?.position;
    const atEnd = page.next === undefined;
    return {
      events: page.events.map(this.#toItem),
      upTo: atEnd ? Math.max(last ?? 0, page.lastPosition) : (last ?? after),
      atEnd,
      stamp,
    };
  }

  #forget(page: KeptPage<Item>): void {
    this.#pages = this.#pages.filter((one) => one !== page);
  }

  /** Gives the turn to the reader that waits longest, once the event loop has done other work. */
  async #passOn(): Promise<void> {
    this.#turnsTaken += 1;
    const isPause = this.#turnsTaken % TURNS_BEFORE_PAUSE === 0 && this.#waiting.length >= TURNS_BEFORE_PAUSE;
    await (isPause ? sleep(PAUSE_MS, this.#clock, undefined) : nextTurn());
    const next = this.#waiting.shift();
    if (next !== undefined) return next();
    this.#turns -= 1;
    // Without readers nobody needs the pages.
    if (this.#turns === 0) this.#pages = [];
  }
}

function keyOf(query: EventQuery | undefined): string {
  return query === undefined ? '' : JSON.stringify(query);
}
