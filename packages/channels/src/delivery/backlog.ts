import { Fifo } from '@esdb-gater/primitives';
import {
  CHANNEL_PRIORITIES,
  type ChannelName,
  type ChannelPriority,
  type Delivery,
  type NoticeEncoder,
} from '@esdb-gater/types';
import { compactDelivery, createDelivery } from './shared-delivery.ts';

/** Buffers the deliveries of a connection when its transport is slow. */
export interface Backlog {
  push(delivery: Delivery): void;
  /**
   * Returns the next deliveries to write together, highest priority first; an empty batch when the backlog is empty.
   */
  take(encoder: NoticeEncoder | undefined): BacklogChunk;
  /** Drops the oldest message of low priority. Returns undefined when there is none. */
  dropOldestLow(
    encoder: NoticeEncoder | undefined,
  ): { readonly channel: ChannelName; readonly bytes: number } | undefined;
  /** Counts a message of low priority that was dropped before it reached the backlog. */
  noteDropped(delivery: Delivery): void;
  clear(): void;
}

interface BacklogChunk {
  readonly batch: readonly Delivery[];
  /** The bytes of those that waited. */
  readonly bytes: number;
  /** The number of deliveries that came from the backlog; the others are notices created now. */
  readonly messages: number;
}

/** A write of this size keeps a transport busy; a larger one only delays more urgent messages. */
const CHUNK_BYTES = 65_536;
const CHUNK_MESSAGES = 1_024;

/** Creates an empty backlog. */
export function createBacklog(): Backlog {
  return new PriorityBacklog();
}

interface Dropped {
  count: number;
  position: string;
}

class PriorityBacklog implements Backlog {
  /** Created with the first delivery, since most connections never fall behind. */
  #waiting: Readonly<Record<ChannelPriority, Fifo<Delivery>>> | undefined;
  #dropped: Map<ChannelName, Dropped> | undefined;

  push(delivery: Delivery): void {
    compactDelivery(delivery);
    this.#lists()[delivery.priority].push(delivery);
  }

  take(encoder: NoticeEncoder | undefined): BacklogChunk {
    const batch: Delivery[] = [];
    let bytes = 0;
    let notices = 0;
    for (const priority of CHANNEL_PRIORITIES) {
      const list = this.#lists()[priority];
      // The dropped messages were older than all that wait.
      if (priority === 'low') notices = this.#takeNotices(batch);
      while (bytes < CHUNK_BYTES && batch.length < CHUNK_MESSAGES) {
        const delivery = list.shift();
        if (delivery === undefined) break;
        bytes += sizeOf(delivery, encoder);
        batch.push(delivery);
      }
      if (list.length > 0) break;
    }
    return { batch: Object.freeze(batch), bytes, messages: batch.length - notices };
  }

  dropOldestLow(
    encoder: NoticeEncoder | undefined,
  ): { readonly channel: ChannelName; readonly bytes: number } | undefined {
    const low = this.#waiting?.low;
    if (low === undefined) return undefined;
    const kept: Delivery[] = [];
    let oldest = low.shift();
    // `replayed` is never dropped, since it is sent only once.
    while (oldest !== undefined && oldest.notice.method !== 'message') {
      kept.push(oldest);
      oldest = low.shift();
    }
    for (const delivery of kept.reverse()) low.unshift(delivery);
    if (oldest === undefined) return undefined;
    this.noteDropped(oldest);
    return { channel: oldest.notice.params.channel, bytes: sizeOf(oldest, encoder) };
  }

  noteDropped(delivery: Delivery): void {
    const { channel, position } = delivery.notice.params;
    this.#dropped ??= new Map();
    const count = (this.#dropped.get(channel)?.count ?? 0) + 1;
    this.#dropped.set(channel, { count, position });
  }

  clear(): void {
    this.#waiting = undefined;
    this.#dropped = undefined;
  }

  #lists(): Readonly<Record<ChannelPriority, Fifo<Delivery>>> {
    this.#waiting ??= {
      critical: new Fifo(),
      high: new Fifo(),
      normal: new Fifo(),
      low: new Fifo(),
    };
    return this.#waiting;
  }

  #takeNotices(batch: Delivery[]): number {
    if (this.#dropped === undefined) return 0;
    const notices = [...this.#dropped].map(([channel, { count, position }]) =>
      createDelivery({ method: 'dropped', params: { channel, count, position } }, 'low'),
    );
    this.#dropped = undefined;
    batch.push(...notices);
    return notices.length;
  }
}

function sizeOf(delivery: Delivery, encoder: NoticeEncoder | undefined): number {
  return encoder === undefined ? 0 : delivery.bytes(encoder).length;
}
