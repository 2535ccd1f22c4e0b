import type { ChannelPriority, Delivery, JsonValue, Notice, NoticeEncoder } from '@esdb-gater/types';

/** Creates a delivery of one notice to many receivers, encoded once per encoder. */
export function createDelivery(notice: Notice, priority: ChannelPriority): Delivery {
  return new SharedDelivery(notice, priority);
}

/**
 * Replaces the message of an encoded delivery by its JSON text, which is parsed again on access: a parsed message can
 * take more than ten times the memory, and a slow connection keeps many.
 */
export function compactDelivery(delivery: Delivery): void {
  if (delivery instanceof SharedDelivery) delivery.compact();
}

class SharedDelivery implements Delivery {
  notice: Notice;
  readonly priority: ChannelPriority;
  #isCompact = false;
  #encoder: NoticeEncoder | undefined;
  #bytes: Uint8Array | undefined;
  #others: Map<NoticeEncoder, Uint8Array> | undefined;

  constructor(notice: Notice, priority: ChannelPriority) {
    this.notice = notice;
    this.priority = priority;
  }

  compact(): void {
    const { notice } = this;
    const { method, params } = notice;
    if (method !== 'message' || this.#encoder === undefined || this.#isCompact) return;
    this.#isCompact = true;
    const { message, ...rest } = params;
    const text = notice.messageText ?? JSON.stringify(message);
    const compact = {
      ...rest,
      get message(): JsonValue {
        return JSON.parse(text) as JsonValue;
      },
    };
    this.notice = { ...notice, params: compact };
  }

  bytes(encoder: NoticeEncoder): Uint8Array {
    // Nearly always all receivers use the same encoder, so the first encoder has separate members.
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
