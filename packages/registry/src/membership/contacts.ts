import type { DiscoveredNode } from '@esdb-gater/types';

interface Contact {
  readonly fromDiscovery: boolean;
  nodeId: string | undefined;
  attempts: number;
  /** Monotonic milliseconds. */
  dueAtMs: number;
}

/** Most nodes of each kind: found by discovery, and remembered from the time when they were members. */
const MAX_DISCOVERED = 4_096;
const MAX_REMEMBERED = 1_024;

/** The delay between attempts doubles up to this many times the first one. */
const MAX_BACKOFF = 5;

/**
 * The URLs where other nodes may be: those that discovery finds, and those of former members, which may only be on the
 * other side of a partition.
 */
export class Contacts {
  readonly #contacts = new Map<string, Contact>();
  readonly #baseMs: number;
  readonly #random: () => number;

  /** @param baseMs the delay before a second attempt */
  constructor(baseMs: number, random: () => number) {
    this.#baseMs = baseMs;
    this.#random = random;
  }

  /** Replaces what discovery has found. */
  discovered(nodes: readonly DiscoveredNode[], nowMs: number): void {
    const urls = new Set(nodes.map(({ url }) => url));
    for (const [url, { fromDiscovery }] of this.#contacts) {
      if (fromDiscovery && !urls.has(url)) this.#contacts.delete(url);
    }
    for (const { url, nodeId } of nodes.slice(0, MAX_DISCOVERED)) {
      const known = this.#contacts.get(url);
      if (known?.fromDiscovery === true) known.nodeId = nodeId ?? known.nodeId;
      else this.#contacts.set(url, { fromDiscovery: true, nodeId, attempts: 0, dueAtMs: nowMs });
    }
  }

  /** Remembers a former member. Beyond the bound the oldest one is forgotten. */
  remember(url: string, nodeId: string, nowMs: number): void {
    const known = this.#contacts.get(url);
    if (known !== undefined) {
      known.nodeId = nodeId;
      known.attempts = 0;
      known.dueAtMs = nowMs + this.#baseMs;
      return;
    }
    this.#contacts.set(url, { fromDiscovery: false, nodeId, attempts: 0, dueAtMs: nowMs + this.#baseMs });
    const remembered = [...this.#contacts].filter(([, { fromDiscovery }]) => !fromDiscovery);
    const [oldest] = remembered;
    if (remembered.length > MAX_REMEMBERED && oldest !== undefined) this.#contacts.delete(oldest[0]);
  }

  /** Notes which node answered at a URL. */
  identify(url: string, nodeId: string): void {
    const known = this.#contacts.get(url);
    if (known !== undefined) known.nodeId = nodeId;
  }

  /** Forgets a former member that is back, or that has left. Its URL stays when discovery has found it. */
  forget(url: string): void {
    if (this.#contacts.get(url)?.fromDiscovery === false) this.#contacts.delete(url);
  }

  /**
   * Takes the next URL that is due, if any, and postpones it.
   *
   * @param isReached whether the node at a URL, or of an id, is this node or a member
   */
  next(
    nowMs: number,
    isReached: (url: string, nodeId: string | undefined) => boolean,
  ): DiscoveredNode | undefined {
    for (const [url, contact] of this.#contacts) {
      if (contact.dueAtMs > nowMs || isReached(url, contact.nodeId)) continue;
      // With a share by chance, so that nodes that started together do not stay in step.
      const factor = Math.min(2 ** contact.attempts, MAX_BACKOFF) * (0.75 + this.#random() / 2);
      contact.dueAtMs = nowMs + this.#baseMs * factor;
      contact.attempts = Math.min(contact.attempts + 1, MAX_BACKOFF);
      // To the end, so that all get their turn.
      this.#contacts.delete(url);
      this.#contacts.set(url, contact);
      return contact.nodeId === undefined ? { url } : { url, nodeId: contact.nodeId };
    }
    return undefined;
  }
}
