import { emit, hasHandlers } from '@esdb-gater/telemetry';
import type { Clock, Logger, PeerAddress } from '@esdb-gater/types';
import type { Contacts } from './contacts.ts';
import { judgeClaim } from './judge-claim.ts';
import type { MemberEvents } from './member-events.ts';
import { infoOf, MAX_MEMBERS, type Member, type MemberTable } from './member-table.ts';
import { compareProcesses, isGone, type NodeNews, type NodeRecord } from './node-record.ts';
import type { Timing } from './options.ts';
import type { WorkerLists } from './worker-lists.ts';

export interface MemberRecordsComponents {
  readonly table: MemberTable;
  readonly lists: WorkerLists;
  readonly contacts: Contacts;
  readonly events: MemberEvents;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly timing: Timing;
  /** Called when there is news of a node to be passed on; `source` has told it. */
  readonly pass: (nodeId: string, source: string | undefined) => void;
}

/** What became of a claim: `stale` when its sender should be told what is known instead. */
export type Outcome = 'changed' | 'unchanged' | 'stale';

/** How long it is reported that an earlier process of a node was heard of. */
const CONFLICT_MS = 60_000;

/** Applies what other nodes say to what this node knows. */
export class MemberRecords {
  readonly #components: MemberRecordsComponents;
  /** The URL of the other process with a node's id, and until when to report it. */
  readonly #conflicts = new Map<string, { readonly url: string; readonly endMs: number }>();
  /** The live process that has this node's id and precedes this one. */
  #fencedBy: string | undefined;
  #tooManyMembers = false;

  constructor(components: MemberRecordsComponents) {
    this.#components = components;
  }

  /** True while another process has this node's id: then this node is not a member. */
  get fenced(): boolean {
    return this.#fencedBy !== undefined;
  }

  get tooManyMembers(): boolean {
    return this.#tooManyMembers;
  }

  /** The other live URLs of node ids, by node id. */
  get conflicts(): ReadonlyMap<string, string> {
    const conflicts = new Map([...this.#conflicts].map(([nodeId, { url }]) => [nodeId, url]));
    if (this.#fencedBy !== undefined) conflicts.set(this.#components.table.self.nodeId, this.#fencedBy);
    return conflicts;
  }

  /** Applies one claim, and takes the workers that come with it. */
  apply(news: NodeNews, from: PeerAddress): Outcome {
    const { table, lists, events, pass } = this.#components;
    const { record } = news;
    if (record.nodeId === table.self.nodeId) return this.#applyToSelf(record, from);
    const outcome = this.#applyRecord(record, from.nodeId);
    const changed = lists.take(news, from);
    if (changed === undefined) return outcome;
    events.tell({ kind: 'workers', node: infoOf(changed) });
    pass(record.nodeId, from.nodeId);
    return 'changed';
  }

  /** Notes that an earlier process of a node still runs. */
  noteConflict({ nodeId, url }: NodeRecord): void {
    const { table, clock, logger } = this.#components;
    const present = table.self.nodeId === nodeId ? table.self : table.get(nodeId)?.record;
    if (present === undefined || present.url === url) return;
    if (!this.#conflicts.has(nodeId))
      logger.warn({ node: nodeId, url }, 'two live nodes have the same node id');
    this.#conflicts.set(nodeId, { url, endMs: clock.monotonic() + CONFLICT_MS });
  }

  /** Marks a member as suspected, and starts the time within which it may refute that. */
  suspect(member: Member, source?: string): Member {
    const { table, clock, timing, events, logger, pass } = this.#components;
    const removeAt = clock.monotonic() + timing.suspicionMs;
    const changed = table.change(member, { record: { ...member.record, status: 'suspected' }, removeAt });
    const { nodeId } = member.record;
    if (member.record.status === 'alive') {
      events.tell({ kind: 'suspected', node: infoOf(changed) });
      logger.debug({ node: nodeId, source }, 'a node does not answer');
    }
    pass(nodeId, source);
    return changed;
  }

  /** Removes the suspected members whose time is over, and forgets old conflicts. */
  expire(nowMs: number): void {
    const { table } = this.#components;
    for (const member of table.suspected()) {
      if (member.removeAt <= nowMs) {
        this.#remove(member, 'failed');
        table.bury({ ...member.record, status: 'dead' });
      }
    }
    for (const [nodeId, { endMs }] of this.#conflicts) if (endMs <= nowMs) this.#conflicts.delete(nodeId);
  }

  /** Gives suspected members more time, since this process has paused. */
  prolong(ms: number): void {
    const { table } = this.#components;
    for (const member of table.suspected()) table.change(member, { removeAt: member.removeAt + ms });
  }

  /** Becomes a member again, as the other process with this node's id is gone. */
  unfence(): void {
    if (this.#fencedBy === undefined) return;
    this.#fencedBy = undefined;
    this.#components.logger.info({}, 'the other process with the id of this node is gone');
  }

  #applyRecord(record: NodeRecord, source: string | undefined): Outcome {
    const { table, pass } = this.#components;
    const { nodeId } = record;
    const member = table.get(nodeId);
    const verdict = judgeClaim(table.recordOf(nodeId), record);
    if (verdict === 'ignore') return 'unchanged';
    if (verdict === 'correct') return 'stale';
    if (verdict === 'bury') {
      table.bury(record);
      return 'unchanged';
    }
    if (verdict === 'add' || member === undefined) return this.#add(record, source);
    if (verdict === 'replace') {
      this.#remove(member, 'replaced');
      return this.#add(record, source);
    }
    if (verdict === 'remove') {
      this.#remove(member, record.status === 'left' ? 'left' : 'failed');
      table.bury(record);
      pass(nodeId, source);
    } else {
      const { version } = record;
      const renewed = table.change(member, { record: { ...member.record, version } });
      if (verdict === 'suspect') this.suspect(renewed, source);
      else this.#trust(renewed, source);
    }
    return 'changed';
  }

  #add(record: NodeRecord, source: string | undefined): Outcome {
    const { table, contacts, events, clock, logger, pass } = this.#components;
    if (table.size >= MAX_MEMBERS) {
      this.#tooManyMembers = true;
      return 'unchanged';
    }
    const { nodeId, url } = record;
    const added = table.add(record);
    contacts.forget(url);
    const node = infoOf(added);
    const members = table.size + 1;
    events.tell({ kind: 'up', node, members });
    logger.info({ node: nodeId, url, members }, 'a node has joined the cluster');
    if (hasHandlers()) {
      const metadata = { node: nodeId, member_count: members };
      emit('esdb_gater.cluster.node.up', { system_time: clock.now() }, metadata);
    }
    if (record.status === 'suspected') this.suspect(added, source);
    else pass(nodeId, source);
    return 'changed';
  }

  #trust(member: Member, source: string | undefined): void {
    const { table, events, pass } = this.#components;
    const record = { ...member.record, status: 'alive' } as const;
    const trusted = table.change(member, { record, removeAt: Number.POSITIVE_INFINITY });
    if (member.record.status === 'suspected') events.tell({ kind: 'trusted', node: infoOf(trusted) });
    pass(record.nodeId, source);
  }

  #remove(member: Member, reason: 'failed' | 'left' | 'replaced'): void {
    const { table, contacts, events, clock, logger } = this.#components;
    const { nodeId, url } = member.record;
    table.remove(member);
    this.#tooManyMembers = false;
    if (reason === 'failed') contacts.remember(url, nodeId, clock.monotonic());
    const members = table.size + 1;
    events.tell({ kind: 'down', node: infoOf(member), reason, members });
    logger.info({ node: nodeId, url, reason, members }, 'a node has left the cluster');
    if (!hasHandlers()) return;
    const metadata = { node: nodeId, member_count: members };
    emit('esdb_gater.cluster.node.down', { system_time: clock.now() }, metadata);
  }

  /** Refutes that this node is dead. */
  #applyToSelf(claim: NodeRecord, from: PeerAddress): Outcome {
    const { table } = this.#components;
    const { self } = table;
    const later = compareProcesses(claim, self);
    if (later < 0) {
      if (from.nodeId === self.nodeId) this.noteConflict(claim);
      return 'stale';
    }
    if (later > 0) {
      // At one URL there is one process: the others remember an earlier start, by a clock that was ahead.
      if (claim.url === self.url || isGone(claim)) this.#outbid(claim);
      else this.#fence(claim);
      return 'changed';
    }
    const refuted =
      claim.version > self.version || (claim.version === self.version && claim.status !== 'alive');
    if (!refuted) return 'unchanged';
    this.#become({ ...self, version: claim.version + 1 });
    return 'changed';
  }

  #outbid({ incarnation }: NodeRecord): void {
    this.unfence();
    this.#become({ ...this.#components.table.self, incarnation: incarnation + 1, version: 0 });
  }

  #become(self: NodeRecord): void {
    this.#components.table.self = self;
    this.#components.pass(self.nodeId, undefined);
  }

  #fence({ nodeId, url }: NodeRecord): void {
    const { table, logger } = this.#components;
    if (this.#fencedBy === undefined) {
      logger.error(
        { node: nodeId, url },
        'another process has the id of this node, which therefore left the cluster',
      );
    }
    this.#fencedBy = url;
    // Nobody tells this node any more who is alive. Former members are asked now and then whether the other one is gone.
    for (const member of [...table.all()]) this.#remove(member, 'failed');
  }
}
