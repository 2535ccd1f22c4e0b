import type { WorkerInfo } from './registry.ts';

/** Where a node is reached. */
export interface PeerAddress {
  /** `ws://HOST:PORT/v1/ws` or `wss://…`. */
  readonly url: string;
  /** Absent for a URL that discovery found and that nobody has answered from yet. */
  readonly nodeId?: string;
}

/**
 * Sends the messages of the membership to other nodes. The gateway implements it over authenticated WebSockets: whoever
 * receives a message knows that its sender has the cluster secret and the `nodeId` that it names.
 */
export interface PeerLinks {
  /**
   * Sends one message, without an answer and without a promise: it may be lost, and none of its errors are thrown. Opens
   * the link when there is none. Links to an address with a `nodeId` and without one may be the same.
   *
   * @param message JSON of at most 512 KiB, usually under 1 KiB
   */
  send(to: PeerAddress, message: object): void;
}

/** A worker that a node offers to the others. */
export interface AnnouncedWorker extends Omit<WorkerInfo, 'nodeId'> {
  /** All methods that it serves. */
  readonly methods: readonly string[];
  /** True when its node keeps the persistent subscriptions of the store with its events. */
  readonly keepsSubscriptions?: boolean;
}

/** A live node of the cluster. */
export interface MemberInfo {
  readonly nodeId: string;
  /** Increases with every start of the node. Only to be compared with other incarnations of the same node. */
  readonly incarnation: number;
  readonly url: string;
  /** `suspected`: it does not answer and is removed soon, unless it proves that it is alive. Its workers are still there. */
  readonly status: 'alive' | 'suspected';
  /** True for this node. */
  readonly self: boolean;
  /** How far its clock is ahead of this node's, once measured. Each node measures only the few that it observes. */
  readonly clockOffsetMs?: number;
}

/** A change of the members, in the order in which this node learned of them. */
export type MembershipEvent =
  | { readonly kind: 'up'; readonly node: MemberInfo; readonly members: number }
  | {
      readonly kind: 'down';
      readonly node: MemberInfo;
      /** `failed`: it did not answer. `left`: it shut down in order. `replaced`: it has started again. */
      readonly reason: 'failed' | 'left' | 'replaced';
      readonly members: number;
    }
  /** `trusted`: it was suspected and has proved that it is alive. */
  | { readonly kind: 'suspected' | 'trusted'; readonly node: MemberInfo }
  /** It announced other workers. */
  | { readonly kind: 'workers'; readonly node: MemberInfo }
  /** {@link Membership.problems} has changed. */
  | { readonly kind: 'problems' };

/** Something that an operator has to mend. */
export interface MembershipProblem {
  /**
   * `clock_wrong`: a clock is off by more than allowed. `node_id_conflict`: two live nodes have one id.
   * `too_many_members`, `too_many_workers`: a bound was reached, and what is beyond it is ignored.
   */
  readonly code: 'clock_wrong' | 'node_id_conflict' | 'too_many_members' | 'too_many_workers';
  /** The node that it is about; this node's own id when the fault is here. */
  readonly nodeId: string;
  readonly message: string;
}

/** Counts of this node since it started. */
export interface MembershipStats {
  readonly sent: number;
  readonly received: number;
  /** Received messages that were malformed, too large, or not from whom they named. */
  readonly dropped: number;
  /** The nodes that this one pings. */
  readonly observed: number;
}

/**
 * The nodes of a cluster as this node knows them: eventually the same everywhere. A node that dies is removed within
 * `failureTimeoutMs`; after a partition both sides agree again by themselves.
 */
export interface Membership {
  /** This node. Its incarnation grows when others remember a higher one. */
  readonly self: MemberInfo;
  /** All live nodes, this one first. */
  members(): readonly MemberInfo[];
  /** Replaces the workers that this node offers. Those beyond the bounds are left out, see `problems`. */
  announce(workers: readonly AnnouncedWorker[]): void;
  /** The workers that a live node has announced, empty when it has none or is not known. */
  workersOf(nodeId: string): readonly AnnouncedWorker[];
  /** Yields all changes from now on, until `signal` aborts. Throws `overloaded` to a reader that is too far behind. */
  watch(options?: { readonly signal?: AbortSignal }): AsyncIterable<MembershipEvent>;
  problems(): readonly MembershipProblem[];
  stats(): MembershipStats;
  /**
   * Takes a message that arrived over a link. Never throws: messages that are not valid are dropped and counted.
   *
   * @param fromNodeId the id that the link's other end has proved
   */
  receive(fromNodeId: string, message: unknown): void;
  /** Tells that a link broke, or could not be opened: the node is asked at once whether it is alive. */
  linkDown(address: PeerAddress): void;
  /** Tells the others that this node leaves, and stops. Messages that were sent may still be on their way. */
  leave(): void;
  /** Stops without telling anyone, as a crash would. */
  close(): void;
}
