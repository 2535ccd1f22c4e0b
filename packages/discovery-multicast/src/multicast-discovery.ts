import { createSocket, type Socket } from 'node:dgram';
import { WatchedValue } from '@esdb-gater/primitives';
import type { DiscoveredNode, Discovery, Timer } from '@esdb-gater/types';
import { type Announcement, decodeDatagram, encodeDatagram } from './datagram.ts';
import {
  type MulticastDiscoveryComponents,
  type MulticastDiscoveryOptions,
  type ResolvedOptions,
  resolveComponents,
  resolveOptions,
} from './options.ts';

/** A node that was not heard for this many intervals is dropped. */
const MISSED_INTERVALS = 4;

/** Most nodes that are kept. */
const MAX_NODES = 4_096;

/** Datagrams stay in the local network. */
const TIME_TO_LIVE = 1;

/** How long after a failure the socket is opened again. */
const REOPEN_MS = 30_000;

/**
 * Finds nodes by UDP multicast: each announces itself every `intervalMs`, and soon after it hears a new one. Where
 * multicast is not available, as in many containers, one line of the log says so, and nobody is found.
 *
 * @throws `invalid_argument` (reason `multicast_options`)
 */
export function createMulticastDiscovery(
  components: MulticastDiscoveryComponents,
  options: MulticastDiscoveryOptions,
): Discovery {
  return new MulticastDiscovery(resolveComponents(components), resolveOptions(options));
}

interface Heard {
  readonly url: string;
  /** Monotonic milliseconds. */
  readonly atMs: number;
}

class MulticastDiscovery implements Discovery {
  readonly #components: Required<MulticastDiscoveryComponents>;
  readonly #options: ResolvedOptions;
  readonly #heard = new Map<string, Heard>();
  readonly #nodes = new WatchedValue<readonly DiscoveredNode[]>([]);
  #socket: Socket | undefined;
  #timer: Timer | undefined;
  #answer: Timer | undefined;
  #reopen: Timer | undefined;
  #unavailable = false;
  #closed = false;

  constructor(components: Required<MulticastDiscoveryComponents>, options: ResolvedOptions) {
    this.#components = components;
    this.#options = options;
    this.#open();
    this.#schedule();
  }

  watch({ signal }: { readonly signal: AbortSignal }): AsyncIterable<readonly DiscoveredNode[]> {
    return this.#nodes.watch(signal);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of [this.#timer, this.#answer, this.#reopen]) timer?.cancel();
    this.#nodes.close();
    const socket = this.#socket;
    if (socket === undefined) return;
    await this.#send(socket, true);
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  }

  #open(): void {
    const { group, port } = this.#options;
    // Several nodes of one machine share the port.
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    this.#socket = socket;
    socket.unref();
    socket.on('error', (error) => this.#failed(socket, error));
    socket.on('message', (bytes) => this.#hear(bytes));
    socket.bind({ port }, () => {
      try {
        socket.addMembership(group);
        socket.setMulticastTTL(TIME_TO_LIVE);
        socket.setMulticastLoopback(true);
      } catch (error) {
        this.#failed(socket, error);
        return;
      }
      void this.#send(socket, false);
    });
  }

  /** Says once that multicast does not work, and tries again later: a network may come up after the gateway. */
  #failed(socket: Socket, error: unknown): void {
    if (this.#closed || this.#socket !== socket) return;
    this.#socket = undefined;
    // Only the one that was opened last is closed again, and never while it is closing.
    socket.removeAllListeners();
    socket.on('error', () => {});
    socket.close();
    this.#report(error);
    const { clock } = this.#components;
    this.#reopen?.cancel();
    this.#reopen = clock.setTimer(() => this.#open(), REOPEN_MS, { unref: true });
  }

  #report(error: unknown): void {
    if (this.#unavailable) return;
    this.#unavailable = true;
    const { group, port } = this.#options;
    const cause = error instanceof Error ? error.message : String(error);
    this.#components.logger.warn(
      { group, port, cause },
      'multicast is not available: no nodes are found by it',
    );
  }

  #schedule(): void {
    const { clock, random } = this.#components;
    const delayMs = this.#options.intervalMs * (0.8 + random() * 0.4);
    this.#timer = clock.setTimer(() => this.#tick(), delayMs, { unref: true });
  }

  #tick(): void {
    this.#schedule();
    if (this.#socket !== undefined) void this.#send(this.#socket, false);
    const deadMs = this.#components.clock.monotonic() - MISSED_INTERVALS * this.#options.intervalMs;
    const before = this.#heard.size;
    for (const [nodeId, { atMs }] of this.#heard) if (atMs < deadMs) this.#heard.delete(nodeId);
    if (this.#heard.size !== before) this.#tell();
  }

  #send(socket: Socket, leaves: boolean): Promise<void> {
    const { node, secrets, group, port } = this.#options;
    const [secret = ''] = secrets;
    const timeSeconds = Math.floor(this.#components.clock.now() / 1_000);
    const bytes = encodeDatagram({ ...node, leaves }, secret, timeSeconds);
    return new Promise((resolve) => {
      try {
        socket.send(bytes, port, group, (error) => {
          if (error !== null && !leaves) this.#failed(socket, error);
          else if (!leaves) this.#recovered();
          resolve();
        });
      } catch (error) {
        this.#failed(socket, error);
        resolve();
      }
    });
  }

  #recovered(): void {
    if (!this.#unavailable) return;
    this.#unavailable = false;
    this.#components.logger.info({}, 'multicast is available again');
  }

  #hear(bytes: Uint8Array): void {
    const { clock } = this.#components;
    const { node, secrets } = this.#options;
    const announcement = decodeDatagram(bytes, secrets, Math.floor(clock.now() / 1_000));
    if (announcement === undefined || this.#closed || announcement.nodeId === node.nodeId) return;
    if (announcement.leaves) this.#drop(announcement);
    else this.#keep(announcement);
  }

  #keep({ nodeId, url }: Announcement): void {
    const known = this.#heard.get(nodeId);
    if (known === undefined && this.#heard.size >= MAX_NODES) return;
    this.#heard.set(nodeId, { url, atMs: this.#components.clock.monotonic() });
    if (known?.url === url) return;
    this.#tell();
    if (known === undefined) this.#answerSoon();
  }

  #drop({ nodeId, url }: Announcement): void {
    if (this.#heard.get(nodeId)?.url !== url) return;
    this.#heard.delete(nodeId);
    this.#tell();
  }

  /** Announces this node to a new one, with a delay by chance so that not all answer at one moment. */
  #answerSoon(): void {
    if (this.#answer !== undefined) return;
    const { clock, random } = this.#components;
    const delayMs = random() * Math.min(500, this.#options.intervalMs / 2);
    const run = (): void => {
      this.#answer = undefined;
      if (this.#socket !== undefined) void this.#send(this.#socket, false);
    };
    this.#answer = clock.setTimer(run, delayMs, { unref: true });
  }

  #tell(): void {
    // Two node ids with one URL would be one place listed twice.
    const byUrl = new Map([...this.#heard].map(([nodeId, { url }]) => [url, { url, nodeId }]));
    this.#nodes.value = Object.freeze([...byUrl.values()]);
  }
}
