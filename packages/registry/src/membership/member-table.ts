import type { AnnouncedWorker, MemberInfo } from '@esdb-gater/types';
import { ClockOffset } from './clock-offset.ts';
import { hashText, hashWith } from './hashes.ts';
import { BUCKETS } from './messages.ts';
import type { NodeRecord } from './node-record.ts';
import { ringPositions } from './ring.ts';

/** A live node, other than this one. */
export interface Member {
  readonly record: NodeRecord;
  readonly ring: readonly number[];
  readonly bucket: number;
  readonly workers: readonly AnnouncedWorker[];
  readonly workersBytes: number;
  /** Monotonic milliseconds; Infinity while it is not suspected. */
  readonly removeAt: number;
  readonly offset: ClockOffset;
}

type Change = Partial<Pick<Member, 'record' | 'workers' | 'workersBytes' | 'removeAt'>>;

/** Nodes that are not members, but of which late news may still arrive. */
const MAX_GONE = 2_048;

/** For how long it is known that a node is gone. News does not travel that long, and a node that paused is corrected. */
const GONE_MS = 3_600_000;

/** Most members, this node not counted. */
export const MAX_MEMBERS = 4_096;

/** Most bytes of the workers of all nodes, as JSON. */
export const MAX_TOTAL_WORKERS_BYTES = 67_108_864;

/**
 * What this node knows of the others, with digests: two nodes whose digests are equal know the same members with the same
 * workers. Suspicions do not count, as they end by themselves.
 */
export class MemberTable {
  readonly #members = new Map<string, Member>();
  readonly #gone = new Map<string, { readonly record: NodeRecord; readonly sinceMs: number }>();
  readonly #suspected = new Set<string>();
  readonly #digests = new Uint32Array(BUCKETS);
  #workersBytes = 0;
  #revision = 0;
  #changedAtMs = Number.NEGATIVE_INFINITY;
  #self: NodeRecord;
  readonly #now: () => number;

  /** @param now the monotonic clock */
  constructor(self: NodeRecord, now: () => number) {
    this.#self = self;
    this.#now = now;
    this.#toggle(self);
  }

  get self(): NodeRecord {
    return this.#self;
  }

  set self(record: NodeRecord) {
    this.#toggle(this.#self);
    this.#self = record;
    this.#toggle(record);
    this.#touch();
  }

  /** Changes whenever other nodes may have to be observed. */
  get revision(): number {
    return this.#revision;
  }

  /** When the members or their workers last changed, monotonic. */
  get changedAtMs(): number {
    return this.#changedAtMs;
  }

  get size(): number {
    return this.#members.size;
  }

  get workersBytes(): number {
    return this.#workersBytes;
  }

  get(nodeId: string): Member | undefined {
    return this.#members.get(nodeId);
  }

  all(): IterableIterator<Member> {
    return this.#members.values();
  }

  suspected(): Member[] {
    return [...this.#suspected].flatMap((nodeId) => this.#members.get(nodeId) ?? []);
  }

  /** Returns what is known of a node, whether it is a member or gone. */
  recordOf(nodeId: string): NodeRecord | undefined {
    return this.#members.get(nodeId)?.record ?? this.#gone.get(nodeId)?.record;
  }

  add(record: NodeRecord): Member {
    this.#gone.delete(record.nodeId);
    // Workers are added by their own version, when they have arrived.
    const added: Member = {
      record: { ...record, status: 'alive', workersVersion: 0 },
      ring: ringPositions(record.nodeId),
      bucket: bucketOf(record.nodeId),
      workers: [],
      workersBytes: 0,
      removeAt: Number.POSITIVE_INFINITY,
      offset: new ClockOffset(),
    };
    this.#members.set(record.nodeId, added);
    this.#toggle(added.record);
    this.#revision++;
    this.#touch();
    return added;
  }

  change(member: Member, change: Change): Member {
    const changed = { ...member, ...change };
    const { nodeId } = member.record;
    this.#members.set(nodeId, changed);
    this.#workersBytes += changed.workersBytes - member.workersBytes;
    if (changed.record !== member.record) {
      this.#toggle(member.record);
      this.#toggle(changed.record);
      this.#touch();
    }
    if (changed.record.status !== member.record.status) {
      if (changed.record.status === 'suspected') this.#suspected.add(nodeId);
      else this.#suspected.delete(nodeId);
      this.#revision++;
    }
    return changed;
  }

  remove(member: Member): void {
    const { nodeId } = member.record;
    this.#members.delete(nodeId);
    this.#suspected.delete(nodeId);
    this.#workersBytes -= member.workersBytes;
    this.#toggle(member.record);
    this.#revision++;
    this.#touch();
  }

  /** Remembers that a node is gone. Beyond the bound the oldest such node is forgotten. */
  bury(record: NodeRecord): void {
    this.#gone.delete(record.nodeId);
    this.#gone.set(record.nodeId, { record, sinceMs: this.#now() });
    for (const [nodeId, { sinceMs }] of this.#gone) {
      if (this.#gone.size <= MAX_GONE && this.#now() - sinceMs < GONE_MS) break;
      this.#gone.delete(nodeId);
    }
  }

  /** Returns the digest of each bucket of members, as unsigned 32-bit numbers. */
  digests(): number[] {
    return [...this.#digests];
  }

  digest(): number {
    return this.#digests.reduce((sum, digest) => hashWith(sum, digest), 1);
  }

  /** Returns the records of this node and of the members in a bucket. */
  bucket(index: number): NodeRecord[] {
    const records = bucketOf(this.#self.nodeId) === index ? [this.#self] : [];
    for (const { record, bucket } of this.#members.values()) if (bucket === index) records.push(record);
    return records;
  }

  #touch(): void {
    this.#changedAtMs = this.#now();
  }

  /** Adds a record to its digest, or takes it out. */
  #toggle({ nodeId, incarnation, url, version, workersVersion }: NodeRecord): void {
    let hash = hashWith(hashText(nodeId), incarnation);
    hash = hashWith(hashWith(hashWith(hash, hashText(url)), version), workersVersion);
    const bucket = bucketOf(nodeId);
    this.#digests[bucket] = (this.#digests[bucket] ?? 0) ^ hash;
  }
}

function bucketOf(nodeId: string): number {
  return hashText(nodeId) % BUCKETS;
}

export function infoOf({ record, offset }: Member): MemberInfo {
  const { nodeId, incarnation, url, status } = record;
  const clockOffsetMs = offset.ms;
  return Object.freeze({
    nodeId,
    incarnation,
    url,
    status: status === 'suspected' ? status : 'alive',
    self: false,
    ...(clockOffsetMs === undefined ? {} : { clockOffsetMs }),
  });
}
