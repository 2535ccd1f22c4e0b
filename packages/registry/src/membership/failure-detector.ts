import type { PeerAddress } from '@esdb-gater/types';
import type { Member, MemberTable } from './member-table.ts';
import type { MessageBody } from './messages.ts';
import type { ResolvedComponents, Timing } from './options.ts';
import { chooseObserved, ringPositions } from './ring.ts';

export interface DetectorComponents extends Pick<ResolvedComponents, 'clock' | 'random'> {
  readonly table: MemberTable;
  readonly timing: Timing;
  readonly send: (to: PeerAddress, body: MessageBody) => void;
  /** Called with a member that has not answered for too long. */
  readonly onSilent: (member: Member) => void;
}

interface Ping {
  readonly sequence: number;
  /** By the monotonic clock, and by the wall clock. */
  readonly atMs: number;
  readonly wallMs: number;
}

/** The pings of one observed node. */
interface Observation {
  nextPingAtMs: number;
  /** Sent and not answered, the oldest first. */
  unanswered: Ping[];
  askedHelpers: boolean;
}

/** A ping for another node. */
interface Errand {
  readonly requester: PeerAddress;
  readonly sequence: number;
  readonly nodeId: string;
  readonly endMs: number;
}

/** How many other nodes are asked to ping a node that is silent. */
const HELPERS = 3;

const MAX_UNANSWERED = 16;
const MAX_ERRANDS = 256;

/**
 * Pings the few nodes that this node observes, and so finds out which of them do not answer. When a ping is not answered,
 * other nodes are asked to try, so that one broken link is not taken for a dead node.
 */
export class FailureDetector {
  readonly #components: DetectorComponents;
  readonly #observed = new Map<string, Observation>();
  /** Who has pinged this node lately, and when. */
  readonly #observers = new Map<string, number>();
  readonly #errands = new Map<number, Errand>();
  #revision = -1;
  #sequence = 0;

  constructor(components: DetectorComponents) {
    this.#components = components;
  }

  get observed(): number {
    return this.#observed.size;
  }

  /** Returns the members that observe this node or are observed by it: news goes to them. */
  neighbours(): Member[] {
    // Otherwise the next tick is soon enough: while many nodes join, the choice would change at every message.
    if (this.#observed.size === 0) this.#refresh();
    const { table } = this.#components;
    const ids = new Set([...this.#observed.keys(), ...this.#observers.keys()]);
    return [...ids].flatMap((nodeId) => table.get(nodeId) ?? []);
  }

  observes(nodeId: string): boolean {
    return this.#observed.has(nodeId);
  }

  tick(nowMs: number): void {
    const { table, timing, onSilent } = this.#components;
    this.#refresh();
    for (const [nodeId, lastMs] of this.#observers) {
      if (nowMs - lastMs > 3 * timing.pingMs) this.#observers.delete(nodeId);
    }
    for (const [sequence, { endMs }] of this.#errands) if (endMs <= nowMs) this.#errands.delete(sequence);
    for (const [nodeId, observation] of [...this.#observed]) {
      const member = table.get(nodeId);
      if (member === undefined) continue;
      const [oldest] = observation.unanswered;
      if (oldest !== undefined) {
        const silentMs = nowMs - oldest.atMs;
        if (silentMs >= timing.askHelpersMs) this.#askHelpers(member, observation, oldest);
        if (silentMs >= timing.suspectMs && member.record.status === 'alive') onSilent(member);
      }
      if (nowMs >= observation.nextPingAtMs) this.#ping(member, observation, nowMs);
    }
  }

  /** Forgets all silence: it was this process that paused. */
  forgive(nowMs: number): void {
    for (const observation of this.#observed.values()) {
      observation.unanswered = [];
      observation.askedHelpers = false;
      observation.nextPingAtMs = nowMs;
    }
  }

  /** Forgets everything about all nodes. */
  reset(): void {
    this.#observed.clear();
    this.#observers.clear();
    this.#errands.clear();
    this.#revision = -1;
  }

  onPing(from: Required<PeerAddress>, sequence: number): void {
    const { clock, table } = this.#components;
    if (table.get(from.nodeId) !== undefined) this.#observers.set(from.nodeId, clock.monotonic());
    this.#sendSigned('ack', from, sequence);
  }

  onAck(from: Required<PeerAddress>, sequence: number, timeMs: number): void {
    const errand = this.#errands.get(sequence);
    if (errand?.nodeId === from.nodeId) {
      this.#errands.delete(sequence);
      const { requester, nodeId } = errand;
      this.#components.send(requester, { type: 'answered', sequence: errand.sequence, nodeId });
      return;
    }
    const ping = this.#answered(from.nodeId, sequence);
    const member = this.#components.table.get(from.nodeId);
    if (ping === undefined || member === undefined) return;
    member.offset.add(ping.wallMs, timeMs, this.#components.clock.monotonic() - ping.atMs);
  }

  onAsk(requester: PeerAddress, sequence: number, target: Required<PeerAddress>): void {
    const { clock, table, timing } = this.#components;
    const member = table.get(target.nodeId);
    // Only members are pinged: nobody makes this node connect elsewhere.
    if (member === undefined || this.#errands.size >= MAX_ERRANDS) return;
    const { nodeId, url } = member.record;
    const endMs = clock.monotonic() + timing.suspectMs;
    const own = ++this.#sequence;
    this.#errands.set(own, { requester, sequence, nodeId, endMs });
    this.#sendSigned('ping', { nodeId, url }, own);
  }

  onAnswered(sequence: number, nodeId: string): void {
    this.#answered(nodeId, sequence);
  }

  /** The link to a node broke: asks at once, once for each silence. */
  onLinkDown({ nodeId, url }: PeerAddress): void {
    const { table, clock } = this.#components;
    for (const [id, observation] of this.#observed) {
      const member = table.get(id);
      if (member === undefined || (nodeId === undefined ? member.record.url !== url : id !== nodeId))
        continue;
      const [oldest] = observation.unanswered;
      if (oldest === undefined) this.#ping(member, observation, clock.monotonic());
      else this.#askHelpers(member, observation, oldest);
    }
  }

  #sendSigned(type: 'ping' | 'ack', to: Required<PeerAddress>, sequence: number): void {
    const { clock, table, send } = this.#components;
    send({ nodeId: to.nodeId, url: to.url }, { type, sequence, timeMs: clock.now(), digest: table.digest() });
  }

  #ping(member: Member, observation: Observation, nowMs: number): void {
    const { clock, timing } = this.#components;
    const ping = { sequence: ++this.#sequence, atMs: nowMs, wallMs: clock.now() };
    observation.unanswered.push(ping);
    if (observation.unanswered.length > MAX_UNANSWERED) observation.unanswered.splice(1, 1);
    observation.nextPingAtMs = nowMs + timing.pingMs;
    this.#sendSigned('ping', member.record, ping.sequence);
  }

  #askHelpers({ record }: Member, observation: Observation, { sequence }: Ping): void {
    if (observation.askedHelpers) return;
    observation.askedHelpers = true;
    const { random, send } = this.#components;
    const helpers = this.neighbours().filter(
      (other) => other.record.nodeId !== record.nodeId && other.record.status === 'alive',
    );
    const target = { nodeId: record.nodeId, url: record.url };
    for (let asked = 0; asked < HELPERS && helpers.length > 0; asked++) {
      const [helper] = helpers.splice(Math.floor(random() * helpers.length), 1);
      if (helper === undefined) return;
      const { nodeId, url } = helper.record;
      send({ nodeId, url }, { type: 'ask', sequence, target });
    }
  }

  /** Takes a ping and all before it from those that wait. Returns the ping, if it waited. */
  #answered(nodeId: string, sequence: number): Ping | undefined {
    const observation = this.#observed.get(nodeId);
    if (observation === undefined) return undefined;
    const ping = observation.unanswered.find((one) => one.sequence === sequence);
    if (ping === undefined) return undefined;
    observation.unanswered = observation.unanswered.filter((one) => one.sequence > sequence);
    observation.askedHelpers = false;
    return ping;
  }

  /** Chooses the observed nodes anew after a change. A suspected one stays, so that its answer can still come. */
  #refresh(): void {
    const { table, clock, random, timing } = this.#components;
    if (this.#revision === table.revision) return;
    this.#revision = table.revision;
    const trusted = [...table.all()].filter(({ record }) => record.status === 'alive');
    const chosen = new Set(
      chooseObserved(ringPositions(table.self.nodeId), trusted).map((one) => one.record.nodeId),
    );
    for (const nodeId of this.#observed.keys()) {
      if (!chosen.has(nodeId) && table.get(nodeId)?.record.status !== 'suspected')
        this.#observed.delete(nodeId);
    }
    for (const nodeId of chosen) {
      if (this.#observed.has(nodeId)) continue;
      // Soon, as it may be the next of many that died together; but not all nodes at one moment.
      const nextPingAtMs = clock.monotonic() + (random() * timing.pingMs) / 4;
      this.#observed.set(nodeId, { nextPingAtMs, unanswered: [], askedHelpers: false });
    }
    for (const nodeId of this.#observers.keys())
      if (table.get(nodeId) === undefined) this.#observers.delete(nodeId);
  }
}
