import type { ChannelName, Delivery, DeliverySink, Logger } from '@esdb-gater/types';
import { createBacklog } from './backlog.ts';
import type { BatchNode } from './delivery-batch.ts';
import type { Flushable, FlushScheduler, GatheredPriority } from './flush-scheduler.ts';

/** The bounded queue of one connection. */
export interface DeliveryQueue {
  readonly closed: boolean;
  /** True when a replay may offer this delivery: little waits, the transport keeps up, and nothing would overflow. */
  takesReplayed(delivery: Delivery): boolean;
  /** Queues a delivery, or drops one of low priority, or overflows. Never throws. */
  offer(delivery: Delivery): void;
  /** Drops a message of low priority before it is queued: the process is behind. The connection is told. */
  shed(delivery: Delivery): void;
  /** Resolves when something has been written or passed on, or the queue is closed. */
  room(): Promise<void>;
  /** The transport has passed on what it took. */
  drained(): void;
  /** Gives up on a connection that is too slow: closes the queue and tells the sink, once. */
  overflow(): void;
  close(): void;
}

/** What all queues share. */
export interface DeliveryQueueComponents {
  readonly scheduler: FlushScheduler;
  readonly logger: Logger;
  /** A message of low priority was dropped. */
  readonly onDropped: (channel: ChannelName) => void;
}

export interface DeliveryQueueOptions {
  readonly sink: DeliverySink;
  /** The queue has closed itself: it overflowed, or its sink failed. */
  readonly onClosed: () => void;
  /** Bytes that may wait, those that the transport has not passed on included. */
  readonly queueBytes: number;
  /** Messages that may wait. */
  readonly queueMessages: number;
}

/**
 * Above this many bytes in the transport nothing more is written until it has drained. It is not below the mark of
 * Node's own sockets (64 KiB), so that these are sure to say `drain`.
 */
const WRITE_MARK_BYTES = 65_536;

/** What a replay may have waiting: enough for a full write, little enough to leave room for live messages. */
const REPLAY_MESSAGES = 512;
const REPLAY_BYTES = 262_144;

/** The order in which gathered lanes are written when they are written together. */
const GATHERED: readonly GatheredPriority[] = ['high', 'normal', 'low'];

/** What one priority has gathered since its last write. */
interface Lane {
  node: BatchNode | undefined;
  bytes: number;
}

export function createDeliveryQueue(
  components: DeliveryQueueComponents,
  options: DeliveryQueueOptions,
): DeliveryQueue {
  return new PriorityQueue(components, options);
}

/**
 * `critical` is written at once, the others are gathered in lanes until the scheduler flushes them. When the
 * transport does not keep up, everything moves to the backlog and leaves it, most urgent first, as the
 * transport drains. A priority stands in its lane or in the backlog, never in both, which keeps its order.
 */
class PriorityQueue implements DeliveryQueue, Flushable {
  closed = false;
  readonly #components: DeliveryQueueComponents;
  readonly #sink: DeliverySink;
  readonly #onClosed: () => void;
  readonly #maxBytes: number;
  readonly #maxMessages: number;
  readonly #markBytes: number;
  readonly #lanes: Readonly<Record<GatheredPriority, Lane>> = {
    high: { node: undefined, bytes: 0 },
    normal: { node: undefined, bytes: 0 },
    low: { node: undefined, bytes: 0 },
  };
  readonly #backlog = createBacklog();
  #backlogged = false;
  /** Messages were shed since the last write of low priority. */
  #shed = false;
  /** Waiting here, in lanes and backlog. */
  #messages = 0;
  #bytes = 0;
  /** At least what the transport holds: what it held when last asked, and what was written since. */
  #held = 0;
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
    if (this.#held > this.#markBytes) this.#held = this.#sink.bufferedBytes();
    if (this.#held > this.#markBytes) return false;
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
      const lane = this.#lanes[priority];
      const { scheduler } = this.#components;
      if (lane.node === undefined) scheduler.mark(this, priority);
      lane.node = (lane.node ?? scheduler.roots[priority]).with(delivery);
      lane.bytes += bytes;
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
      // Through the backlog, which puts the notice before what is still to be written.
      this.#shed = false;
      this.#enterBacklog();
      this.drained();
      return;
    }
    const lane = this.#lanes[priority];
    const { node, bytes } = lane;
    if (node === undefined) return;
    if (!this.#transportTakes()) return;
    lane.node = undefined;
    lane.bytes = 0;
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
      this.#held = this.#sink.bufferedBytes();
      if (this.#held > this.#markBytes) return;
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
      this.#components.logger.error({ err: error }, 'a sink failed to take its overflow');
    }
  }

  close(): void {
    this.closed = true;
    for (const lane of Object.values(this.#lanes)) lane.node = undefined;
    this.#backlog.clear();
    this.#room?.resolve();
  }

  #sizeOf(delivery: Delivery): number {
    const { encoder } = this.#sink;
    return encoder === undefined ? 0 : delivery.bytes(encoder).length;
  }

  #fits(bytes: number): boolean {
    return this.#messages < this.#maxMessages && this.#bytes + bytes + this.#held <= this.#maxBytes;
  }

  /** Makes room for a delivery; false when it is dropped itself, or the queue has overflowed. */
  #makeRoom(delivery: Delivery, bytes: number): boolean {
    for (const priority of GATHERED) this.flush(priority);
    if (this.closed) return false;
    this.#held = this.#sink.bufferedBytes();
    while (!this.#fits(bytes)) {
      const dropped = this.#backlog.dropOldestLow(this.#sink.encoder);
      if (dropped === undefined) break;
      this.#messages--;
      this.#bytes -= dropped.bytes;
      this.#components.onDropped(dropped.channel);
    }
    // One that alone is longer than the whole queue may pass when nothing else waits: it never could otherwise.
    if (this.#fits(bytes) || (this.#messages === 0 && this.#held <= this.#markBytes)) return true;
    if (delivery.priority === 'low' && delivery.notice.method === 'message') {
      // Told with the next write of low priority, which comes when the transport has drained.
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

  /** False, and everything moves to the backlog, while the transport holds too much. */
  #transportTakes(): boolean {
    this.#held = this.#sink.bufferedBytes();
    if (this.#held <= this.#markBytes) return true;
    this.#enterBacklog();
    return false;
  }

  #enterBacklog(): void {
    this.#backlogged = true;
    for (const priority of GATHERED) {
      const lane = this.#lanes[priority];
      for (const delivery of lane.node?.batch() ?? []) this.#backlog.push(delivery);
      lane.node = undefined;
      lane.bytes = 0;
    }
  }

  #write(batch: readonly Delivery[], bytes: number, messages: number = batch.length): void {
    this.#messages -= messages;
    this.#bytes -= bytes;
    this.#held += bytes;
    try {
      this.#sink.write(batch);
    } catch (error) {
      this.#components.logger.error({ err: error }, 'a sink failed, its subscriber is closed');
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
