import type { PeerAddress } from '@esdb-gater/types';
import type { MemberTable } from './member-table.ts';
import { MAX_NEWS, type MessageBody } from './messages.ts';
import { compareProcesses, type NodeNews, type NodeRecord } from './node-record.ts';
import type { Timing } from './options.ts';

export interface AntiEntropyComponents {
  readonly table: MemberTable;
  readonly timing: Timing;
  readonly send: (to: PeerAddress, body: MessageBody) => void;
  /** Adds the workers to a record, when they are few. */
  readonly toNews: (record: NodeRecord) => NodeNews;
  /** Returns the number of records that were news. */
  readonly apply: (news: readonly NodeNews[], from: Required<PeerAddress>) => number;
  readonly now: () => number;
}

type State = Extract<MessageBody, { readonly type: 'state' }>;

/**
 * Compares what two nodes know, and exchanges only what differs. News usually reaches everyone without it; this repairs
 * what was lost, tells a new node of all others, and joins the sides of a partition.
 */
export class AntiEntropy {
  readonly #components: AntiEntropyComponents;
  #lastSyncAtMs = Number.NEGATIVE_INFINITY;
  #lastMatchAtMs = Number.NEGATIVE_INFINITY;
  /** Until when what this node knows of others may be outdated. */
  #outdatedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(components: AntiEntropyComponents) {
    this.#components = components;
  }

  /** Takes the digest of another node, and compares the members when the difference lasts. */
  onDigest(from: Required<PeerAddress>, digest: number): void {
    const { table, timing, now } = this.#components;
    if (digest === table.digest()) {
      this.#lastMatchAtMs = now();
      return;
    }
    // News may be on its way. In a cluster that never is quiet, a difference that lasts is one all the same.
    const quiet = now() - table.changedAtMs >= timing.quietMs;
    const lasting = now() - this.#lastMatchAtMs >= 2 * timing.contactMs;
    if ((quiet || lasting) && now() - this.#lastSyncAtMs >= timing.pingMs) this.sync(from);
  }

  /** True for a while after this process has paused: then it should ask others what it has missed. */
  get isOutdated(): boolean {
    return this.#components.now() < this.#outdatedUntilMs;
  }

  /**
   * Tells nobody of other nodes for a while, since this process has paused: who died meanwhile must not begin to live
   * again in the lists of those that have not heard of the death.
   */
  outdateFor(ms: number): void {
    this.#outdatedUntilMs = this.#components.now() + ms;
  }

  /** Asks another node for what differs. */
  sync(to: PeerAddress): void {
    const { table, send, now } = this.#components;
    this.#lastSyncAtMs = now();
    const via = to.nodeId === undefined ? { via: to.url } : {};
    send(to, { type: 'sync', digests: table.digests(), ...via });
  }

  onSync(from: Required<PeerAddress>, theirs: readonly number[], via: string | undefined): void {
    // The other one asks somebody else, or again.
    if (this.isOutdated) return;
    const { table, send, toNews } = this.#components;
    const digests = table.digests();
    const differing = digests.flatMap((digest, bucket) => (digest === theirs[bucket] ? [] : [bucket]));
    const buckets: number[] = [];
    const news: NodeNews[] = [];
    for (const bucket of differing) {
      const records = table.bucket(bucket);
      if (news.length > 0 && news.length + records.length > MAX_NEWS) break;
      // A bucket that is larger than a message is sent in part: what was received then no longer differs.
      if (records.length <= MAX_NEWS) buckets.push(bucket);
      news.push(...records.slice(0, MAX_NEWS).map(toNews));
    }
    const more = buckets.length < differing.length;
    send(from, { type: 'state', digests, buckets, news, more, ...(via === undefined ? {} : { via }) });
  }

  /** Applies what another node knows, and tells it what it does not know. */
  onState(from: Required<PeerAddress>, { buckets, news, more }: State): void {
    const { table, send, toNews, apply } = this.#components;
    const applied = apply(news, from);
    const theirs = new Map(news.map(({ record }) => [record.nodeId, record]));
    const missing = buckets
      .flatMap((bucket) => table.bucket(bucket))
      .filter((record) => isNewer(record, theirs.get(record.nodeId)))
      // As a question: whoever knows better corrects it, and nobody else takes it up.
      .map((record) =>
        this.isOutdated && record !== table.self ? { ...record, status: 'suspected' as const } : record,
      );
    for (let start = 0; start < missing.length; start += MAX_NEWS) {
      send(from, { type: 'news', news: missing.slice(start, start + MAX_NEWS).map(toNews) });
    }
    // Without progress the next ping tries again.
    if (more && applied > 0) this.sync(from);
  }
}

function isNewer(ours: NodeRecord, theirs: NodeRecord | undefined): boolean {
  if (theirs === undefined) return true;
  const process = compareProcesses(ours, theirs);
  if (process !== 0) return process > 0;
  return ours.version > theirs.version || ours.workersVersion > theirs.workersVersion;
}
