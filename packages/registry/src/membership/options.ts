import { invalidOption, MAX_TIMER_MS, requireInteger, requireNumber } from '@esdb-gater/primitives';
import {
  type Clock,
  type Discovery,
  isName,
  type Logger,
  type PeerLinks,
  silentLogger,
  systemClock,
} from '@esdb-gater/types';
import { isNodeUrl } from './node-record.ts';

export interface MembershipComponents {
  readonly discovery: Discovery;
  readonly links: PeerLinks;
  /** @default the platform's */
  readonly clock?: Clock;
  /** Uniform in 0 (inclusive) to 1. @default Math.random */
  readonly random?: () => number;
  /** @default silent */
  readonly logger?: Logger;
}

export interface MembershipOptions {
  /** This node, 1 to 255 characters. */
  readonly nodeId: string;
  /** Higher than at the last start of this node, such as the Unix time in milliseconds. */
  readonly incarnation: number;
  /** Where the others reach this node. */
  readonly url: string;
  /** A node that does not answer is removed everywhere within this time. @default 3 000 */
  readonly failureTimeoutMs?: number;
  /** A clock that differs by more is reported. @default 2 000 */
  readonly maxClockOffsetMs?: number;
}

/**
 * The times of the protocol, in milliseconds. They are shares of `failureTimeoutMs`, and must leave room for one another:
 * a ping, its time-outs, the suspicion, and the way of the news to every node.
 */
export interface Timing {
  readonly tickMs: number;
  /** Between two pings of one node. */
  readonly pingMs: number;
  /** After this silence other nodes are asked to ping the node. */
  readonly askHelpersMs: number;
  /** After this silence the node is suspected. */
  readonly suspectMs: number;
  /** How long a suspected node may prove that it is alive. */
  readonly suspicionMs: number;
  /** News is gathered for this long before it is sent. */
  readonly flushMs: number;
  /** Between two attempts to reach nodes that are not members. */
  readonly contactMs: number;
  /** A comparison of the members waits until there was no change for this long. */
  readonly quietMs: number;
}

export interface ResolvedComponents extends Required<MembershipComponents> {}

export interface ResolvedOptions extends Required<MembershipOptions> {
  readonly timing: Timing;
}

const REASON = 'membership_options';

/** @throws `invalid_argument` (reason `membership_options`) */
export function resolveOptions(options: MembershipOptions): ResolvedOptions {
  const { nodeId, url, failureTimeoutMs = 3_000, maxClockOffsetMs = 2_000 } = options;
  const rule = { reason: REASON, max: MAX_TIMER_MS } as const;
  if (!isName(nodeId)) throw invalidOption('nodeId', nodeId, '1 to 255 characters', rule);
  if (!isNodeUrl(url)) throw invalidOption('url', url, 'a ws:// or wss:// URL', rule);
  requireNumber('failureTimeoutMs', failureTimeoutMs, { ...rule, min: 100 });
  requireNumber('maxClockOffsetMs', maxClockOffsetMs, { ...rule, above: 0 });
  const incarnation = requireInteger('incarnation', options.incarnation, { reason: REASON, min: 0 });
  const timing = Object.freeze({
    tickMs: Math.max(5, failureTimeoutMs / 48),
    pingMs: failureTimeoutMs / 6,
    askHelpersMs: failureTimeoutMs / 10,
    suspectMs: failureTimeoutMs / 5,
    suspicionMs: failureTimeoutMs / 3,
    flushMs: failureTimeoutMs / 120,
    contactMs: failureTimeoutMs / 3,
    quietMs: failureTimeoutMs / 10,
  });
  return Object.freeze({ nodeId, incarnation, url, failureTimeoutMs, maxClockOffsetMs, timing });
}

export function resolveComponents(components: MembershipComponents): ResolvedComponents {
  const { clock = systemClock, random = Math.random, logger = silentLogger } = components;
  return Object.freeze({ ...components, clock, random, logger });
}
