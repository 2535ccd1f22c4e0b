import type { RecordedEvent, StorePoint } from '@esdb-gater/types';
import { EventPoint } from './event-proof.ts';
import type { SharedPage } from './page-sharing.ts';
import { thinOut } from './thin-out.ts';

/** What a reader gets at a time. */
export interface TailPage {
  /** In order of their positions. Other readers may have them, too: they must not be changed. At most 8 MiB. */
  readonly events: readonly RecordedEvent[];
  /** Every wanted event up to here is in this page or an earlier one: where the reader goes on. */
  readonly upTo: number;
  /** True when the store had no more events as this page was read. */
  readonly atEnd: boolean;
  /**
   * Set when the store no longer has the event that the reader stood on, since it was restored or begun anew: the
   * events of this page follow this earlier position, and may have been read before.
   */
  readonly wentBackTo?: number;
}

/** Where one reader stands. */
export class TailPosition {
  /** Everything up to here was read. */
  position: number;
  /** The last event that was read, as proof of the history. */
  anchor: StorePoint;
  earlier: readonly StorePoint[];
  /** The number of outages after which the anchor was proved; -1 before the first proof. */
  provedIn = -1;
  wentBackTo: number | undefined;
  #toldEnd = false;

  constructor(after: StorePoint, earlier: readonly StorePoint[]) {
    this.position = after.position;
    this.anchor = after;
    this.earlier = earlier;
  }

  goBack(point: StorePoint): void {
    this.position = point.position;
    this.anchor = point;
    this.wentBackTo = point.position;
    this.earlier = this.earlier.filter(({ position }) => position < point.position);
  }

  /**
   * Moves on over a page, which may begin before the reader's position. An empty page says nothing about how far the
   * store is, so without a query only events move the reader.
   *
   * @returns undefined when the page says nothing new
   */
  take({ events: all, upTo, atEnd }: SharedPage<RecordedEvent>, isQuery: boolean): TailPage | undefined {
    const { position, wentBackTo } = this;
    const isLater = (all[0]?.position ?? Number.POSITIVE_INFINITY) > position;
    const events = isLater ? all : all.filter((event) => event.position > position);
    const last = events.at(-1);
    if (last !== undefined) this.#remember(new EventPoint(last));
    this.position = Math.max(position, isQuery ? upTo : (last?.position ?? 0));
    this.wentBackTo = undefined;
    const isNews = this.position !== position || wentBackTo !== undefined || (atEnd && !this.#toldEnd);
    this.#toldEnd = atEnd;
    if (!isNews) return undefined;
    return {
      events,
      upTo: this.position,
      atEnd,
      ...(wentBackTo === undefined ? {} : { wentBackTo }),
    };
  }

  #remember(point: StorePoint): void {
    if (this.anchor.proof !== undefined)
      this.earlier = thinOut([this.anchor, ...this.earlier], point.position);
    this.anchor = point;
  }
}
