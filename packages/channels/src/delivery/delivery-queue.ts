import type { ChannelName, Delivery, DeliverySink, Logger } from '@esdb-gater/types';
import { createBacklog } from './backlog.ts';
import type { BatchNode } from './delivery-batch.ts';
import type { Flushable, FlushScheduler, GatheredPriority } from './flush-scheduler.ts';

/** Queues the deliveries of one connection within bounds. */
export interface DeliveryQueue {
  readonly closed: boolean;
  /** Returns true when a replay may add this delivery: the queue is short, and the transport keeps up. */
  takesReplayed(delivery: Delivery): boolean;
  /** Queues a delivery, drops one of low priority, or overflows. Never throws. */
  offer(delivery: Delivery): void;
  /** Drops a message of low priority because the process is behind. Sends the connection a `dropped` notice. */
  shed(delivery: Delivery): void;
  /** Resolves when there may be room again, or the queue is closed. */
  room(): Promise<void>;
  /** Is called when the transport has room again. */
  drained(): void;
  /** Closes the queue of a connection that is too slow, and notifies the sink once. */
  overflow(): void;
  close(): void;
}

/** The settings of all queues. */
export interface DeliveryQueueComponents {
  readonly scheduler: FlushScheduler;
  readonly logger: Logger;
  /** Is called for each dropped message of low priority. */
  readonly onDropped: (channel: ChannelName) => void;
}

export interface DeliveryQueueOptions {
  readonly sink: DeliverySink;
  /** Is called when the queue has closed itself: it overflowed, or its sink failed. */
  readonly onClosed: () => void;
  /** Maximum number of waiting bytes, including those that the transport has not sent yet. */
  readonly queueBytes: number;
  /** Maximum number of waiting messages. */
  readonly queueMessages: number;
}

/**
 * When the transport buffers more bytes than this, writing pauses until it has drained. It is not below the high-water
 * mark of Node's sockets (64 KiB), so that they always emit `drain`.
 */
const WRITE_MARK_BYTES = 65_536;

/** How much a replay may queue: enough for a full write, and little enough to leave room for live messages. */
const REPLAY_MESSAGES = 512;
const REPLAY_BYTES = 262_144;

/** The order in which the pending batches are written together. */
const GATHERED: readonly GatheredPriority[] = ['high', 'normal', 'low'];

/** The deliveries of one priority since its last write. */
interface PendingBatch {
  node: BatchNode | undefined;
  bytes: number;
}

/** Creates the queue of one connection. */
export function createDeliveryQueue(
  components: DeliveryQueueComponents,
  options: DeliveryQueueOptions,
): DeliveryQueue {
  return new PriorityQueue(components, options);
}

/**
 * Writes `critical` at once and gathers the others in pending batches until the scheduler flushes them. When the
 * transport does not keep up, everything moves to the backlog and leaves it, most urgent first, as the transport
 * drains. A priority uses its pending batch or the backlog, never both, which keeps its order.
 */
class PriorityQueue implements DeliveryQueue, Flushable {
  closed = false;
  readonly #components: DeliveryQueueComponents;
  readonly #sink: DeliverySink;
  readonly #onClosed: () => void;
  readonly #maxBytes: number;
  readonly #maxMessages: number;
  readonly #markBytes: number;
  readonly #pending: Readonly<Record<GatheredPriority, PendingBatch>> = {
    high: { node: undefined, bytes: 0 },
    normal: { node: undefined, bytes: 0 },
    low: { node: undefined, bytes: 0 },
  };
  readonly #backlog = createBacklog();
  #backlogged = false;
  /** Messages were shed since the last write of low priority. */
  #shed = false;
  /** How much waits, in pending batches and backlog. */
  #messages = 0;
  #bytes = 0;
  /** An upper bound of the transport's buffered bytes: its last reading, plus all bytes written since. */
  #transportBytes = 0;
  #room: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  constructor(components: DeliveryQueueComponents, options: DeliveryQueueOptions) {
    this.#components = components;
    this.#sink = options.sink;
    this.#onClosed = options.onClosed;
    this.#maxBytes = options.queueBytes;
    this.#maxMessages = options.queueMessages;
    this.#markBytes = Math.min(WRITE_MARK_BYTES, options.queueBytes >> 2);
  }

  takesReplayed(delivery: Delivery): boolean {
    if (this.closed || this.#backlogged || this.#messages >= REPLAY_MESSAGES || this.#bytes >= REPLAY_BYTES) {
      return false;
    }
    if (this.#transportBytes > this.#markBytes) this.#transportBytes = this.#sink.bufferedBytes();
    if (this.#transportBytes > this.#markBytes) return false;
    return this.#messages === 0 || this.#fits(this.#sizeOf(delivery));
  }

  offer(delivery: Delivery): void {
    if (this.closed) return;
    const bytes = this.#sizeOf(delivery);
    if (!this.#fits(bytes) && !this.#makeRoom(delivery, bytes)) return;
    const { priority } = delivery;
    this.#messages++;
    this.#bytes += bytes;
    if (this.#backlogged) {
      this.#backlog.push(delivery);
    } else if (priority === 'critical') {
      this.#writeCritical(delivery, bytes);
    } else {
      const pending = this.#pending[priority];
      const { scheduler } = this.#components;
      if (pending.node === undefined) scheduler.mark(this, priority);
      pending.node = (pending.node ?? scheduler.roots[priority]).with(delivery);
      pending.bytes += bytes;
    }
  }

  shed(delivery: Delivery): void {
    if (this.closed) return;
    this.#backlog.noteDropped(delivery);
    this.#components.onDropped(delivery.notice.params.channel);
    if (this.#shed) return;
    this.#shed = true;
    this.#components.scheduler.mark(this, 'low');
  }

  flush(priority: GatheredPriority): void {
    if (this.closed) return;
    if (priority === 'low' && this.#shed) {
      // Through the backlog, which puts the notice before the remaining deliveries.
      this.#shed = false;
      this.#enterBacklog();
      this.drained();
      return;
    }
    const pending = this.#pending[priority];
    const { node, bytes } = pending;
    if (node === undefined) return;
    if (!this.#transportTakes()) return;
    pending.node = undefined;
    pending.bytes = 0;
    this.#write(node.batch(), bytes);
    this.#wakeReplays();
  }

  room(): Promise<void> {
    if (this.closed) return Promise.resolve();
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  drained(): void {
    while (this.#backlogged && !this.closed) {
      this.#transportBytes = this.#sink.bufferedBytes();
      if (this.#transportBytes > this.#markBytes) return;
      const chunk = this.#backlog.take(this.#sink.encoder);
      if (chunk.batch.length === 0) this.#backlogged = false;
      else this.#write(chunk.batch, chunk.bytes, chunk.messages);
    }
    this.#wakeReplays();
  }

  overflow(): void {
    if (this.closed) return;
    this.#closeItself();
    try {
      this.#sink.overflow();
    } catch (error) {
      this.#components.logger.error({ err: error }, 'the overflow handler of a sink failed');
    }
  }

  close(): void {
    this.closed = true;
    for (const pending of Object.values(this.#pending)) pending.node = undefined;
    this.#backlog.clear();
    this.#room?.resolve();
  }

  #sizeOf(delivery: Delivery): number {
    const { encoder } = this.#sink;
    return encoder === undefined ? 0 : delivery.bytes(encoder).length;
  }

  #fits(bytes: number): boolean {
    return this.#messages < this.#maxMessages && this.#bytes + bytes + this.#transportBytes <= this.#maxBytes;
  }

  /** Makes room for a delivery. Returns false when it was dropped itself, or the queue has overflowed. */
  #makeRoom(delivery: Delivery, bytes: number): boolean {
    for (const priority of GATHERED) this.flush(priority);
    if (this.closed) return false;
    this.#transportBytes = this.#sink.bufferedBytes();
    while (!this.#fits(bytes)) {
      const dropped = this.#backlog.dropOldestLow(this.#sink.encoder);
      if (dropped === undefined) break;
      this.#messages--;
      this.#bytes -= dropped.bytes;
      this.#components.onDropped(dropped.channel);
    }
    // A message longer than the limit is accepted when the queue is empty; otherwise it could never be sent.
    if (this.#fits(bytes) || (this.#messages === 0 && this.#transportBytes <= this.#markBytes)) return true;
    if (delivery.priority === 'low' && delivery.notice.method === 'message') {
      // The notice goes with the next write of low priority, when the transport has drained.
      this.#backlogged = true;
      this.#backlog.noteDropped(delivery);
      this.#components.onDropped(delivery.notice.params.channel);
      return false;
    }
    this.overflow();
    return false;
  }

  #writeCritical(delivery: Delivery, bytes: number): void {
    if (this.#transportTakes())
      this.#write(this.#components.scheduler.critical.with(delivery).batch(), bytes);
    else this.#backlog.push(delivery);
  }

  /** Returns false, and moves everything to the backlog, while the transport holds too much. */
  #transportTakes(): boolean {
    this.#transportBytes = this.#sink.bufferedBytes();
    if (this.#transportBytes <= this.#markBytes) return true;
    this.#enterBacklog();
    return false;
  }

  #enterBacklog(): void {
    this.#backlogged = true;
    for (const priority of GATHERED) {
      const pending = this.#pending[priority];
      for (const delivery of pending.node?.batch() ?? []) this.#backlog.push(delivery);
      pending.node = undefined;
      pending.bytes = 0;
    }
  }

  #write(batch: readonly Delivery[], bytes: number, messages: number = batch.length): void {
    this.#messages -= messages;
    this.#bytes -= bytes;
    this.#transportBytes += bytes;
    try {
      this.#sink.write(batch);
    } catch (error) {
      this.#components.logger.error({ err: error }, 'a sink failed: closed its subscriber');
      this.#closeItself();
    }
  }

  #closeItself(): void {
    this.close();
    this.#onClosed();
  }

  #wakeReplays(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}
