import { retryUntilAborted } from '@esdb-gater/primitives';
import type {
  AnnouncedWorker,
  MemberInfo,
  Membership,
  MembershipEvent,
  MembershipProblem,
  MembershipStats,
  PeerAddress,
  Timer,
} from '@esdb-gater/types';
import { AntiEntropy } from './anti-entropy.ts';
import { Contacts } from './contacts.ts';
import { decodeMessage } from './decode-message.ts';
import { FailureDetector } from './failure-detector.ts';
import { MemberEvents } from './member-events.ts';
import { MemberRecords } from './member-records.ts';
import { infoOf, MemberTable } from './member-table.ts';
import { encodeMessage, type MembershipMessage, type MessageBody } from './messages.ts';
import { NewsQueue } from './news-queue.ts';
import { compareProcesses, type NodeNews, type NodeRecord } from './node-record.ts';
import {
  type MembershipComponents,
  type MembershipOptions,
  type ResolvedComponents,
  type ResolvedOptions,
  resolveComponents,
  resolveOptions,
} from './options.ts';
import { problemsOf } from './problems.ts';
import { WorkerLists } from './worker-lists.ts';

/** Most records that one flush sends to each neighbour. */
const NEWS_PER_FLUSH = 128;

/** Ticks in a row that may be late before silence counts although this process pauses. */
const MAX_LATE_TICKS = 3;

/**
 * Joins the cluster: finds the other nodes by discovery, and keeps what this node knows of them. Starts at once.
 *
 * @throws `invalid_argument` (reason `membership_options`)
 */
export function createMembership(components: MembershipComponents, options: MembershipOptions): Membership {
  return new GossipMembership(resolveComponents(components), resolveOptions(options));
}

class GossipMembership implements Membership {
  readonly #components: ResolvedComponents;
  readonly #options: ResolvedOptions;
  readonly #table: MemberTable;
  readonly #records: MemberRecords;
  readonly #detector: FailureDetector;
  readonly #antiEntropy: AntiEntropy;
  readonly #lists: WorkerLists;
  readonly #contacts: Contacts;
  readonly #news = new NewsQueue();
  readonly #events = new MemberEvents();
  readonly #closing = new AbortController();
  readonly #stats = { sent: 0, received: 0, dropped: 0 };
  #ticker: Timer | undefined;
  #flusher: Timer | undefined;
  #tickDueAtMs = 0;
  #lateTicks = 0;
  #contactDueAtMs = 0;
  #catchUpDueAtMs = 0;
  #problemsDueAtMs = 0;
  #problems = '[]';

  constructor(components: ResolvedComponents, options: ResolvedOptions) {
    const { clock, random, logger } = components;
    const { nodeId, incarnation, url, timing } = options;
    this.#components = components;
    this.#options = options;
    const now = (): number => clock.monotonic();
    const send = (to: PeerAddress, body: MessageBody): void => this.#send(to, body);
    const self = { nodeId, incarnation, url, version: 0, status: 'alive', workersVersion: 0 } as const;
    const table = new MemberTable(self, now);
    this.#table = table;
    this.#contacts = new Contacts(timing.contactMs, random);
    this.#lists = new WorkerLists({ table, timing, send, now });
    this.#records = new MemberRecords({
      table,
      lists: this.#lists,
      contacts: this.#contacts,
      events: this.#events,
      clock,
      logger,
      timing,
      pass: (changed, source) => this.#pass(changed, source),
    });
    this.#detector = new FailureDetector({
      table,
      timing,
      clock,
      random,
      send,
      onSilent: (member) => {
        const suspected = this.#records.suspect(member);
        // It hears first, so that it can refute at once.
        send(suspected.record, { type: 'news', news: [{ record: suspected.record }] });
      },
    });
    this.#antiEntropy = new AntiEntropy({
      table,
      timing,
      send,
      now,
      toNews: (record) => this.#lists.toNews(record),
      apply: (news, from) => this.#apply(news, from),
    });
    this.#tickDueAtMs = now();
    this.#scheduleTick();
    void this.#discover();
  }

  get self(): MemberInfo {
    const { nodeId, incarnation, url } = this.#table.self;
    return Object.freeze({ nodeId, incarnation, url, status: 'alive', self: true });
  }

  members(): readonly MemberInfo[] {
    return [this.self, ...[...this.#table.all()].map(infoOf)];
  }

  announce(workers: readonly AnnouncedWorker[]): void {
    if (this.#closing.signal.aborted) return;
    if (this.#lists.replaceOwn(workers)) {
      const { self } = this.#table;
      this.#table.self = { ...self, workersVersion: self.workersVersion + 1 };
      this.#pass(self.nodeId);
    }
  }

  workersOf(nodeId: string): readonly AnnouncedWorker[] {
    if (nodeId === this.#table.self.nodeId) return this.#lists.own;
    return this.#table.get(nodeId)?.workers ?? [];
  }

  watch(options: { readonly signal?: AbortSignal } = {}): AsyncIterable<MembershipEvent> {
    return this.#events.watch(options.signal);
  }

  problems(): readonly MembershipProblem[] {
    return problemsOf({
      table: this.#table,
      lists: this.#lists,
      maxClockOffsetMs: this.#options.maxClockOffsetMs,
      conflicts: this.#records.conflicts,
      tooManyMembers: this.#records.tooManyMembers,
    });
  }

  stats(): MembershipStats {
    return { ...this.#stats, observed: this.#detector.observed };
  }

  receive(fromNodeId: string, value: unknown): void {
    if (this.#closing.signal.aborted) return;
    this.#stats.received++;
    const message = decodeMessage(value);
    // A node speaks in its own name only.
    if (message === undefined || message.from.nodeId !== fromNodeId) {
      this.#stats.dropped++;
      this.#components.logger.debug({ node: fromNodeId }, 'dropped a message of the membership');
      return;
    }
    this.#take(message);
  }

  linkDown(address: PeerAddress): void {
    if (!this.#closing.signal.aborted && !this.#records.fenced) this.#detector.onLinkDown(address);
  }

  leave(): void {
    if (this.#closing.signal.aborted) return;
    const left = { ...this.#table.self, status: 'left' } as const;
    if (!this.#records.fenced) {
      for (const { record } of this.#detector.neighbours()) {
        this.#send(record, { type: 'news', news: [{ record: left }] });
      }
    }
    this.close();
  }

  close(): void {
    this.#closing.abort();
    this.#ticker?.cancel();
    this.#flusher?.cancel();
    this.#events.end();
  }

  #take(message: MembershipMessage): void {
    const { nodeId, url } = message.from;
    const from = { nodeId, url };
    if (this.#records.fenced && !this.#isFreed(message)) return;
    // An earlier process of a node is told that it was replaced, and nothing else.
    if (!this.#meet(message.from)) return;
    switch (message.type) {
      case 'ping':
        this.#detector.onPing(from, message.sequence);
        this.#antiEntropy.onDigest(from, message.digest);
        break;
      case 'ack':
        this.#detector.onAck(from, message.sequence, message.timeMs);
        this.#antiEntropy.onDigest(from, message.digest);
        break;
      case 'ask':
        this.#detector.onAsk(from, message.sequence, message.target);
        break;
      case 'answered':
        this.#detector.onAnswered(message.sequence, message.nodeId);
        break;
      case 'news':
        this.#apply(message.news, from);
        break;
      case 'sync':
        this.#antiEntropy.onSync(from, message.digests, message.via);
        break;
      case 'state':
        if (message.via !== undefined) this.#contacts.identify(message.via, nodeId);
        this.#antiEntropy.onState(from, message);
        break;
      case 'pull':
        this.#lists.onPull(from, message.nodeId, message.incarnation);
    }
  }

  /**
   * Applies what the sender says of itself, and tells it when it is suspected or taken for dead. Returns false when it
   * was replaced by a later process.
   */
  #meet(sender: NodeRecord): boolean {
    const { nodeId, url } = sender;
    this.#apply([{ record: sender }], { nodeId, url });
    const { self } = this.#table;
    // Its own words, by another name of this node.
    if (nodeId === self.nodeId) return false;
    const known = this.#table.recordOf(nodeId);
    if (known !== undefined && compareProcesses(known, sender) > 0) {
      this.#records.noteConflict(sender);
      return false;
    }
    if (known?.status === 'suspected' && known.version >= sender.version) {
      this.#send({ nodeId, url }, { type: 'news', news: [{ record: known }] });
    }
    return true;
  }

  /** Finds out, from a message to this node while it is fenced, whether the other process with its id is gone. */
  #isFreed(message: MembershipMessage): boolean {
    const { nodeId } = this.#table.self;
    if (message.type === 'news') {
      const { from } = message;
      for (const news of message.news) {
        if (news.record.nodeId === nodeId) this.#records.apply(news, { nodeId: from.nodeId, url: from.url });
      }
    } else if (message.type === 'state' && message.from.nodeId !== nodeId) {
      // Only a node that takes this one for a member answers so.
      this.#records.unfence();
    }
    return !this.#records.fenced;
  }

  /** Applies news, and answers with what is known where the news is stale. Returns the number of changes. */
  #apply(news: readonly NodeNews[], from: Required<PeerAddress>): number {
    let changes = 0;
    const stale: NodeNews[] = [];
    for (const one of news) {
      if (this.#records.fenced) break;
      const { nodeId } = one.record;
      const outcome = this.#records.apply(one, from);
      if (outcome === 'changed') changes++;
      else if (outcome === 'stale') {
        const record = nodeId === this.#table.self.nodeId ? this.#table.self : this.#table.recordOf(nodeId);
        if (record !== undefined) stale.push({ record });
      } else this.#news.knows(nodeId, from.nodeId);
    }
    if (stale.length > 0) this.#send(from, { type: 'news', news: stale });
    return changes;
  }

  #send(to: PeerAddress, body: MessageBody): void {
    this.#stats.sent++;
    const address = to.nodeId === undefined ? { url: to.url } : { url: to.url, nodeId: to.nodeId };
    this.#components.links.send(address, encodeMessage({ from: this.#table.self, ...body }));
  }

  /** Passes the news of a node on to the neighbours, soon. */
  #pass(nodeId: string, source?: string): void {
    this.#news.add(nodeId, source);
    if (this.#flusher !== undefined || this.#closing.signal.aborted) return;
    const { flushMs } = this.#options.timing;
    this.#flusher = this.#components.clock.setTimer(() => this.#flush(), flushMs, { unref: true });
  }

  #flush(): void {
    this.#flusher = undefined;
    if (this.#records.fenced) {
      this.#news.clear();
      return;
    }
    const batch = this.#news.take(NEWS_PER_FLUSH).flatMap(([nodeId, sources]) => {
      const record = nodeId === this.#table.self.nodeId ? this.#table.self : this.#table.recordOf(nodeId);
      return record === undefined ? [] : [{ news: this.#lists.toNews(record), sources }];
    });
    for (const { record } of this.#detector.neighbours()) {
      const { nodeId } = record;
      const isObserved = this.#detector.observes(nodeId);
      const news = batch.flatMap((one) => {
        if (one.sources.has(nodeId) || !(isObserved || this.#isUrgent(one.news.record))) return [];
        return [one.news];
      });
      if (news.length > 0) this.#send(record, { type: 'news', news });
    }
    if (this.#news.isEmpty) return;
    const { flushMs } = this.#options.timing;
    this.#flusher = this.#components.clock.setTimer(() => this.#flush(), flushMs, { unref: true });
  }

  /** True for news that must not be late: it goes both ways along the rings, other news only one way. */
  #isUrgent({ nodeId, status, version }: NodeRecord): boolean {
    return status !== 'alive' || version > 0 || nodeId === this.#table.self.nodeId;
  }

  #scheduleTick(): void {
    const { tickMs } = this.#options.timing;
    this.#tickDueAtMs = this.#components.clock.monotonic() + tickMs;
    this.#ticker = this.#components.clock.setTimer(() => this.#tick(), tickMs, { unref: true });
  }

  #tick(): void {
    const nowMs = this.#components.clock.monotonic();
    const { timing } = this.#options;
    const lateMs = nowMs - this.#tickDueAtMs;
    this.#scheduleTick();
    // A process that paused has not received the answers that came meanwhile. One that always is late has no excuse.
    this.#lateTicks = lateMs > timing.askHelpersMs ? this.#lateTicks + 1 : 0;
    if (this.#lateTicks > 0 && this.#lateTicks <= MAX_LATE_TICKS) {
      this.#detector.forgive(nowMs);
      this.#records.prolong(lateMs);
      if (lateMs > timing.suspicionMs) this.#antiEntropy.outdateFor(this.#options.failureTimeoutMs);
    }
    this.#records.expire(nowMs);
    if (!this.#records.fenced) this.#detector.tick(nowMs);
    this.#contact(nowMs);
    if (this.#antiEntropy.isOutdated) this.#catchUp(nowMs);
    if (nowMs >= this.#problemsDueAtMs) {
      this.#problemsDueAtMs = nowMs + timing.contactMs;
      this.#checkProblems();
    }
  }

  /** Tries to reach one node that is not a member; all at once as long as there is none. */
  #contact(nowMs: number): void {
    const { self } = this.#table;
    if (this.#table.size > 0 && nowMs < this.#contactDueAtMs) return;
    const contact = this.#contacts.next(nowMs, (url, nodeId) => {
      if (url === self.url || nodeId === self.nodeId) return true;
      return nodeId !== undefined && this.#table.get(nodeId) !== undefined;
    });
    if (contact === undefined) return;
    this.#contactDueAtMs = nowMs + this.#options.timing.contactMs;
    this.#antiEntropy.sync(contact);
  }

  /** Asks the neighbours in turn what happened while this process paused. */
  #catchUp(nowMs: number): void {
    if (nowMs < this.#catchUpDueAtMs) return;
    this.#catchUpDueAtMs = nowMs + this.#options.timing.askHelpersMs;
    const neighbours = this.#detector.neighbours();
    const neighbour = neighbours[Math.floor(this.#components.random() * neighbours.length)];
    if (neighbour === undefined) return;
    const { nodeId, url } = neighbour.record;
    this.#antiEntropy.sync({ nodeId, url });
  }

  #checkProblems(): void {
    const problems = JSON.stringify(this.problems());
    if (problems === this.#problems) return;
    this.#problems = problems;
    this.#events.tell({ kind: 'problems' });
  }

  async #discover(): Promise<void> {
    const { discovery, clock, logger } = this.#components;
    const { signal } = this.#closing;
    await retryUntilAborted(
      async () => {
        for await (const nodes of discovery.watch({ signal })) {
          this.#contacts.discovered(nodes, clock.monotonic());
        }
        // A list that never changes may end; it stays in force.
      },
      {
        clock,
        signal,
        backoff: () => this.#options.timing.contactMs,
        onFailure: (error) => logger.warn({ cause: error }, 'the discovery of nodes failed'),
      },
    );
  }
}
