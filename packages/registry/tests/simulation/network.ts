import type { Membership, PeerAddress, PeerLinks } from '@esdb-gater/types';
import type { Scheduler } from './scheduler.ts';

export interface NetworkOptions {
  /** The least and the greatest delay of a message: with different delays messages overtake each other. */
  readonly delayMs: readonly [min: number, max: number];
  /** The share of messages that are lost. */
  readonly loss: number;
}

/** A process that the network reaches. */
export interface Endpoint {
  readonly nodeId: string;
  readonly url: string;
  readonly membership: Membership;
  /** Until when it is stopped; Infinity when it is dead. */
  pausedUntilMs: number;
  /** What it has sent. */
  messages: number;
  bytes: number;
}

/** Whether a message passes between two nodes: partitions, also of one direction. */
export type Passes = (from: Endpoint, to: Endpoint) => boolean;

/** A network that delays, loses and reorders messages. */
export class Network {
  readonly #scheduler: Scheduler;
  readonly #random: () => number;
  readonly #endpoints = new Map<string, Endpoint>();
  options: NetworkOptions;
  passes: Passes = () => true;
  /** Counting bytes takes time. */
  countsBytes = false;

  constructor(scheduler: Scheduler, random: () => number, options: NetworkOptions) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.options = options;
  }

  attach(endpoint: Endpoint): void {
    this.#endpoints.set(endpoint.url, endpoint);
  }

  links(fromUrl: string): PeerLinks {
    return { send: (to, message) => this.#send(fromUrl, to, message) };
  }

  #send(fromUrl: string, to: PeerAddress, message: object): void {
    const from = this.#endpoints.get(fromUrl);
    if (from === undefined) return;
    from.messages++;
    if (this.countsBytes) from.bytes += JSON.stringify(message).length;
    const { loss, delayMs } = this.options;
    if (this.#random() < loss) return;
    const [min, max] = delayMs;
    const arriveMs = this.#scheduler.nowMs + min + this.#random() * (max - min);
    this.#scheduler.at(arriveMs, () => this.#deliver(from, to, message));
  }

  #deliver(from: Endpoint, to: PeerAddress, message: object): void {
    const target = this.#endpoints.get(to.url);
    if (target === undefined || !this.passes(from, target)) return;
    if (to.nodeId !== undefined && to.nodeId !== target.nodeId) return;
    // A stopped process receives when it goes on.
    if (target.pausedUntilMs > this.#scheduler.nowMs) {
      if (Number.isFinite(target.pausedUntilMs)) {
        this.#scheduler.at(target.pausedUntilMs + this.#random(), () => this.#deliver(from, to, message));
      }
      return;
    }
    target.membership.receive(from.nodeId, message);
  }
}
