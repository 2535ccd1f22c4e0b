import type { AnnouncedWorker, PeerAddress } from '@esdb-gater/types';
import { workersBytes } from './decode-message.ts';
import { MAX_TOTAL_WORKERS_BYTES, type Member, type MemberTable } from './member-table.ts';
import {
  MAX_INLINE_BYTES,
  MAX_METHODS,
  MAX_WORKERS,
  MAX_WORKERS_BYTES,
  type MessageBody,
} from './messages.ts';
import type { NodeNews, NodeRecord } from './node-record.ts';
import type { Timing } from './options.ts';

export interface WorkerListsComponents {
  readonly table: MemberTable;
  readonly timing: Timing;
  readonly send: (to: PeerAddress, body: MessageBody) => void;
  readonly now: () => number;
}

/** Most lists that are asked for at one time. */
const MAX_PULLS = 16;

/**
 * The workers that nodes offer. A short list travels with the record of its node; a long one is asked for, from whoever
 * told of it. A node tells of a version only once it has the list.
 */
export class WorkerLists {
  readonly #components: WorkerListsComponents;
  /** When the answer is no longer awaited, by node. */
  readonly #pulls = new Map<string, number>();
  #own: readonly AnnouncedWorker[] = [];
  #ownBytes = 0;
  #leftOut = 0;
  #full = false;

  constructor(components: WorkerListsComponents) {
    this.#components = components;
  }

  /** How many of this node's workers are beyond the bounds. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** True when workers of other nodes were refused, because there are too many in all. */
  get full(): boolean {
    return this.#full;
  }

  get own(): readonly AnnouncedWorker[] {
    return this.#own;
  }

  /** Replaces this node's workers with those that the bounds allow. Returns false when nothing has changed. */
  replaceOwn(workers: readonly AnnouncedWorker[]): boolean {
    const allowed: AnnouncedWorker[] = [];
    // For the brackets.
    let bytes = 2;
    for (const worker of workers) {
      const copy = copyOf(worker);
      const more = workersBytes([copy]) - 1;
      if (allowed.length >= MAX_WORKERS || bytes + more > MAX_WORKERS_BYTES) break;
      bytes += more;
      allowed.push(copy);
    }
    this.#leftOut = workers.length - allowed.length;
    if (JSON.stringify(allowed) === JSON.stringify(this.#own)) return false;
    this.#own = Object.freeze(allowed);
    this.#ownBytes = workersBytes(allowed);
    return true;
  }

  /** Adds the workers to a record when they are few. */
  toNews(record: NodeRecord): NodeNews {
    const [workers, bytes] = this.#listOf(record.nodeId);
    return record.workersVersion > 0 && bytes <= MAX_INLINE_BYTES ? { record, workers } : { record };
  }

  /**
   * Takes what another node says of a member's workers. Returns the changed member, if there are other workers now; asks
   * for the list when it did not come along.
   */
  take({ record, workers }: NodeNews, from: PeerAddress): Member | undefined {
    const { table } = this.#components;
    const member = table.get(record.nodeId);
    if (member === undefined || member.record.incarnation !== record.incarnation) return undefined;
    if (record.workersVersion <= member.record.workersVersion) return undefined;
    if (workers === undefined) {
      this.#pull(record, from);
      return undefined;
    }
    this.#pulls.delete(record.nodeId);
    const bytes = workersBytes(workers);
    if (table.workersBytes - member.workersBytes + bytes > MAX_TOTAL_WORKERS_BYTES) {
      this.#full = true;
      return undefined;
    }
    this.#full = false;
    const { workersVersion } = record;
    const changed = { record: { ...member.record, workersVersion }, workers: Object.freeze([...workers]) };
    return table.change(member, { ...changed, workersBytes: bytes });
  }

  onPull(from: PeerAddress, nodeId: string, incarnation: number): void {
    const { table, send } = this.#components;
    const record = table.self.nodeId === nodeId ? table.self : table.get(nodeId)?.record;
    if (record?.incarnation !== incarnation || record.workersVersion === 0) return;
    const [workers] = this.#listOf(nodeId);
    send(from, { type: 'news', news: [{ record, workers }] });
  }

  #pull({ nodeId, incarnation }: NodeRecord, from: PeerAddress): void {
    const { send, now, timing } = this.#components;
    const nowMs = now();
    for (const [other, endMs] of this.#pulls) if (endMs <= nowMs) this.#pulls.delete(other);
    // Whoever tells again, or the next comparison, leads to another attempt.
    if (this.#pulls.has(nodeId) || this.#pulls.size >= MAX_PULLS) return;
    this.#pulls.set(nodeId, nowMs + timing.contactMs);
    send(from, { type: 'pull', nodeId, incarnation });
  }

  #listOf(nodeId: string): readonly [workers: readonly AnnouncedWorker[], bytes: number] {
    const { table } = this.#components;
    if (nodeId === table.self.nodeId) return [this.#own, this.#ownBytes];
    const member = table.get(nodeId);
    return member === undefined ? [[], 0] : [member.workers, member.workersBytes];
  }
}

function copyOf(worker: AnnouncedWorker): AnnouncedWorker {
  const { storeId, storeUuid, workerId, incarnation, registeredAt, methods, keepsSubscriptions } = worker;
  return Object.freeze({
    storeId,
    ...(storeUuid === undefined ? {} : { storeUuid }),
    workerId,
    incarnation,
    registeredAt,
    methods: Object.freeze(methods.slice(0, MAX_METHODS)),
    ...(keepsSubscriptions === undefined ? {} : { keepsSubscriptions }),
  });
}
