import { GenerationMap, waitFor, withLimit } from '@esdb-gater/primitives';
import { type CallOptions, CLOSE_CODES, PEER_NOTIFICATIONS } from '@esdb-gater/protocol';
import {
  type Clock,
  GaterError,
  type Logger,
  type PeerAddress,
  type PeerLinks,
  type Timer,
} from '@esdb-gater/types';
import { type DialComponents, dialPeer } from './dial-peer.ts';
import type { PeerLink } from './peer-link.ts';

export interface PeerNetworkComponents extends Omit<DialComponents, 'clock' | 'logger'> {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Is called when a link broke, or could not be opened. */
  readonly onDown: (address: PeerAddress) => void;
  /** Is called for each new link. */
  readonly onLink: (link: PeerLink) => void;
}

export interface PeerNetworkOptions {
  /** This node. */
  readonly nodeId: string;
  readonly frameBytes: number;
  readonly maxInFlight: number;
  /** A link that is silent for so long is broken. */
  readonly failureTimeoutMs: number;
}

/** The links of this node to others, each opened when it is needed. */
export interface PeerNetwork extends PeerLinks {
  /** The links in use, one for each node. */
  links(): readonly PeerLink[];
  /** Returns the link in use with a node, without opening one. */
  find(nodeId: string): PeerLink | undefined;
  /** Returns the link in use with a node, or opens one. @throws `unavailable` when it cannot be reached */
  open(node: Required<PeerAddress>): Promise<PeerLink>;
  /**
   * Calls a node, over a link that is opened when there is none.
   *
   * @throws the error that the node answers; `unavailable` when it cannot be reached or the link breaks before the answer
   */
  call(node: Required<PeerAddress>, method: string, params: object, options: CallOptions): Promise<unknown>;
  /** Sends a notification to a node; it may be lost. */
  notify(node: PeerAddress, method: string, params: unknown): void;
  /** Takes a link that the other node has opened. */
  accept(link: PeerLink): void;
  close(): void;
}

/** The two connections that may exist with a node, by who has opened them. */
interface Pair {
  dialled?: PeerLink;
  accepted?: PeerLink;
}

/** Notifications that wait for a link. The newest stay. */
const MAX_WAITING = 64;

/** For the connection and both proofs. */
const DIAL_TIMEOUT_MS = 2_000;

/** How soon an address that could not be reached is dialled again. */
const DIAL_PAUSE_MS = 250;

/** A link that carried nothing for so long is closed. */
const IDLE_MS = 60_000;

/** Addresses that are known to be this node itself, or to be out of reach for the moment. */
const MAX_REMEMBERED = 4_096;

export function createPeerNetwork(
  components: PeerNetworkComponents,
  options: PeerNetworkOptions,
): PeerNetwork {
  return new LinkNetwork(components, options);
}

class LinkNetwork implements PeerNetwork {
  readonly #components: PeerNetworkComponents;
  readonly #options: PeerNetworkOptions;
  readonly #pairs = new Map<string, Pair>();
  readonly #byUrl = new Map<string, PeerLink>();
  readonly #dials = new Map<string, Promise<PeerLink>>();
  readonly #waiting = new Map<string, (readonly [method: string, params: unknown])[]>();
  readonly #pausedUntil = new GenerationMap<string, number>(MAX_REMEMBERED);
  readonly #own = new GenerationMap<string, true>(MAX_REMEMBERED);
  readonly #closing = new AbortController();
  #timer: Timer | undefined;

  constructor(components: PeerNetworkComponents, options: PeerNetworkOptions) {
    this.#components = components;
    this.#options = options;
  }

  links(): readonly PeerLink[] {
    return [...this.#pairs].flatMap(([nodeId, pair]) => this.#preferred(nodeId, pair) ?? []);
  }

  find(nodeId: string): PeerLink | undefined {
    const pair = this.#pairs.get(nodeId);
    return pair && this.#preferred(nodeId, pair);
  }

  send(to: PeerAddress, message: object): void {
    this.notify(to, PEER_NOTIFICATIONS.membership, message);
  }

  notify({ nodeId, url }: PeerAddress, method: string, params: unknown): void {
    const link = nodeId === undefined ? this.#byUrl.get(url) : this.find(nodeId);
    if (link !== undefined) {
      link.keep();
      link.notify(method, params);
      return;
    }
    if (this.#own.get(url) === true || this.#closing.signal.aborted) return;
    const waiting = this.#waiting.get(url);
    if (waiting !== undefined) {
      if (waiting.length >= MAX_WAITING) waiting.shift();
      waiting.push([method, params]);
      return;
    }
    this.#waiting.set(url, [[method, params]]);
    this.#open(url, nodeId).then(
      (opened) => {
        for (const [name, content] of this.#taken(url)) opened.notify(name, content);
      },
      () => void this.#taken(url),
    );
  }

  async open({ nodeId, url }: Required<PeerAddress>): Promise<PeerLink> {
    return this.find(nodeId) ?? this.#open(url, nodeId);
  }

  call(
    { nodeId, url }: Required<PeerAddress>,
    method: string,
    params: object,
    options: CallOptions,
  ): Promise<unknown> {
    const link = this.find(nodeId);
    if (link !== undefined) return callOver(link, method, params, options);
    // The time that opening takes is part of the limit.
    const { timeoutMs = Number.POSITIVE_INFINITY, signal } = options;
    const { clock } = this.#components;
    return withLimit(
      async (own) => {
        const opened = await waitFor(this.#open(url, nodeId), { signal: own });
        return callOver(opened, method, params, { ...options, signal: own });
      },
      { limitMs: timeoutMs, signal, clock },
    );
  }

  accept(link: PeerLink): void {
    this.#add(link);
  }

  close(): void {
    this.#closing.abort(new GaterError('unavailable', 'the gateway is stopping'));
    this.#timer?.cancel();
    for (const { dialled, accepted } of this.#pairs.values()) {
      for (const link of [dialled, accepted]) link?.close(CLOSE_CODES.goingAway, 'the gateway is stopping');
    }
  }

  #taken(url: string): readonly (readonly [method: string, params: unknown])[] {
    const waiting = this.#waiting.get(url) ?? [];
    this.#waiting.delete(url);
    return waiting;
  }

  /** Of two connections with one node both sides use the one that the node with the lower id has opened. */
  #preferred(nodeId: string, { dialled, accepted }: Pair): PeerLink | undefined {
    return this.#options.nodeId < nodeId ? (dialled ?? accepted) : (accepted ?? dialled);
  }

  /** Dials an address, once however many callers want it. @throws `unavailable` */
  async #open(url: string, nodeId: string | undefined): Promise<PeerLink> {
    const { clock } = this.#components;
    if ((this.#pausedUntil.get(url) ?? 0) > clock.monotonic()) {
      throw new GaterError('unavailable', `the node at ${url} cannot be reached`);
    }
    let dialling = this.#dials.get(url);
    if (dialling === undefined) {
      dialling = this.#dial(url).finally(() => this.#dials.delete(url));
      this.#dials.set(url, dialling);
    }
    try {
      const link = await dialling;
      if (nodeId === undefined || link.node.nodeId === nodeId) return link;
      throw new GaterError('unavailable', `another node than ${nodeId} answers at ${url}`);
    } catch (error) {
      this.#components.onDown({ url, ...(nodeId === undefined ? {} : { nodeId }) });
      throw error;
    }
  }

  async #dial(url: string): Promise<PeerLink> {
    const { clock, logger } = this.#components;
    const { frameBytes, maxInFlight } = this.#options;
    try {
      const link = await dialPeer(url, this.#components, {
        frameBytes,
        maxInFlight,
        timeoutMs: DIAL_TIMEOUT_MS,
        signal: this.#closing.signal,
      });
      this.#add(link, url);
      return link;
    } catch (error) {
      if (GaterError.is(error) && error.details['reason'] === 'self') this.#own.set(url, true);
      this.#pausedUntil.set(url, clock.monotonic() + DIAL_PAUSE_MS);
      const level = GaterError.is(error) && error.code === 'unauthorized' ? 'warn' : 'debug';
      logger[level]({ err: error, url }, 'cannot connect to another node');
      throw error;
    }
  }

  #add(link: PeerLink, dialledUrl?: string): void {
    const { clock, logger, onDown, onLink } = this.#components;
    if (this.#closing.signal.aborted) {
      link.close(CLOSE_CODES.goingAway, 'the gateway is stopping');
      return;
    }
    const { nodeId, url } = link.node;
    const pair = this.#pairs.get(nodeId) ?? {};
    this.#pairs.set(nodeId, pair);
    const side = link.isDialler ? 'dialled' : 'accepted';
    // A node dials when it has no connection: the earlier one is broken, though this side does not know yet.
    pair[side]?.close(CLOSE_CODES.goingAway, 'replaced by a later connection');
    pair[side] = link;
    this.#byUrl.set(url, link);
    if (dialledUrl !== undefined) this.#byUrl.set(dialledUrl, link);
    this.#timer ??= clock.setTimer(() => this.#tick(), this.#tickMs, { unref: true });
    logger.debug({ nodeId, url, dialled: link.isDialler }, 'connected to another node');
    void link.closed.then(() => {
      const wasUsed = this.find(nodeId) === link;
      this.#remove(link);
      if (wasUsed && this.find(nodeId) === undefined) onDown({ nodeId, url });
    });
    onLink(link);
  }

  #remove(link: PeerLink): void {
    const { nodeId } = link.node;
    const pair = this.#pairs.get(nodeId);
    const side = link.isDialler ? 'dialled' : 'accepted';
    if (pair?.[side] === link) {
      delete pair[side];
      if (pair.dialled === undefined && pair.accepted === undefined) this.#pairs.delete(nodeId);
    }
    for (const [url, known] of this.#byUrl) if (known === link) this.#byUrl.delete(url);
  }

  get #tickMs(): number {
    return this.#options.failureTimeoutMs / 3;
  }

  /** Shows that this side lives, and closes links that are silent, idle or superfluous. */
  #tick(): void {
    const { clock } = this.#components;
    const now = clock.monotonic();
    for (const [nodeId, pair] of this.#pairs) {
      const used = this.#preferred(nodeId, pair);
      for (const link of [pair.dialled, pair.accepted]) {
        if (link === undefined) continue;
        const isNeeded = link === used ? now - link.usedAt < IDLE_MS : now - link.usedAt < this.#tickMs;
        if (now - link.heardAt > this.#options.failureTimeoutMs) {
          link.close(CLOSE_CODES.goingAway, 'the other node is silent');
          this.#remove(link);
          this.#components.onDown({ nodeId, url: link.node.url });
        } else if (link.isDialler && !isNeeded && !link.isBusy) {
          link.close(CLOSE_CODES.normal, 'not in use');
          this.#remove(link);
        } else link.notify(PEER_NOTIFICATIONS.alive, {});
      }
    }
    this.#timer =
      this.#pairs.size === 0 ? undefined : clock.setTimer(() => this.#tick(), this.#tickMs, { unref: true });
  }
}

function callOver(link: PeerLink, method: string, params: object, options: CallOptions): Promise<unknown> {
  if (link.takesStoreUuid || !('storeUuid' in params)) return link.call(method, params, options);
  const { storeUuid: _, ...known } = params;
  return link.call(method, known, options);
}
