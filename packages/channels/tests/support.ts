import type { ChannelMessage, Delivery, DeliverySink, Notice, NoticeEncoder } from '@esdb-gater/types';

const utf8 = new TextEncoder();

/** Notices as JSON. */
export function jsonEncoder(): NoticeEncoder & { encoded: number } {
  const encoder = {
    encoded: 0,
    encode(notice: Notice): Uint8Array {
      encoder.encoded++;
      return utf8.encode(JSON.stringify(notice));
    },
  };
  return encoder;
}

/** A connection that records all writes, and whose transport can be paused. */
export class TestSink implements DeliverySink {
  readonly encoder: NoticeEncoder;
  /** One entry per write. */
  readonly writes: (readonly Delivery[])[] = [];
  overflows = 0;
  /** When true, written bytes stay in the transport. */
  stalled = false;
  buffered = 0;
  onWrite: (() => void) | undefined;

  constructor(encoder: NoticeEncoder = jsonEncoder()) {
    this.encoder = encoder;
  }

  write(deliveries: readonly Delivery[]): void {
    this.writes.push(deliveries);
    if (this.stalled) {
      for (const delivery of deliveries) this.buffered += delivery.bytes(this.encoder).length;
    }
    this.onWrite?.();
  }

  bufferedBytes(): number {
    return this.buffered;
  }

  overflow(): void {
    this.overflows++;
  }

  /** Everything that was written, in order. */
  get notices(): Notice[] {
    return this.writes.flat().map(({ notice }) => notice);
  }

  get messages(): ChannelMessage[] {
    return this.notices.flatMap((notice) => (notice.method === 'message' ? [notice.params] : []));
  }

  /** The values of the messages. */
  get values(): unknown[] {
    return this.messages.map(({ message }) => message);
  }
}

/** Resolves when the work of this turn of the event loop is done. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}

/** Runs the event loop until the condition holds. */
export async function until(holds: () => boolean, turns = 10_000): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    if (holds()) return;
    await nextTurn();
  }
  throw new Error('it never came to be');
}
