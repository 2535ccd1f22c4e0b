import type { ChannelPriority, Delivery, Notice, NoticeEncoder } from '@esdb-gater/types';

/** Creates a delivery of one notice to many receivers, encoded once per encoder. */
export function createDelivery(notice: Notice, priority: ChannelPriority): Delivery {
  return new SharedDelivery(notice, priority);
}

class SharedDelivery implements Delivery {
  readonly notice: Notice;
  readonly priority: ChannelPriority;
  #encoder: NoticeEncoder | undefined;
  #bytes: Uint8Array | undefined;
  #others: Map<NoticeEncoder, Uint8Array> | undefined;

  constructor(notice: Notice, priority: ChannelPriority) {
    this.notice = notice;
    this.priority = priority;
  }

  bytes(encoder: NoticeEncoder): Uint8Array {
    // There is nearly always one kind of receiver, so the first encoder has members of its own.
    if (this.#encoder === encoder && this.#bytes !== undefined) return this.#bytes;
    return this.#encode(encoder);
  }

  #encode(encoder: NoticeEncoder): Uint8Array {
    const known = this.#others?.get(encoder);
    if (known !== undefined) return known;
    const bytes = encoder.encode(this.notice);
    if (this.#encoder === undefined) {
      this.#encoder = encoder;
      this.#bytes = bytes;
    } else {
      this.#others ??= new Map();
      this.#others.set(encoder, bytes);
    }
    return bytes;
  }
}
