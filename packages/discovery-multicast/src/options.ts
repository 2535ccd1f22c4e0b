import { isIP } from 'node:net';
import { invalidOption, MAX_TIMER_MS, requireInteger, requireNumber } from '@esdb-gater/primitives';
import {
  type Clock,
  type DiscoveredNode,
  isName,
  type Logger,
  silentLogger,
  systemClock,
} from '@esdb-gater/types';

export interface MulticastDiscoveryComponents {
  /** @default the platform's */
  readonly clock?: Clock;
  /** @default silent */
  readonly logger?: Logger;
  /** Uniform in 0 (inclusive) to 1. @default Math.random */
  readonly random?: () => number;
}

export interface MulticastDiscoveryOptions {
  /** This node, as the others find it. */
  readonly node: Required<DiscoveredNode>;
  /** The secrets of the cluster, of at least one character. The first one signs, all of them verify. */
  readonly secrets: readonly string[];
  /** An IPv4 multicast address. @default '239.255.0.2' */
  readonly group?: string;
  /** @default 45893 */
  readonly port?: number;
  /** How often this node announces itself. @default 5 000 */
  readonly intervalMs?: number;
}

export interface ResolvedOptions extends Required<MulticastDiscoveryOptions> {}

const REASON = 'multicast_options';

/** @throws `invalid_argument` (reason `multicast_options`) */
export function resolveOptions(options: MulticastDiscoveryOptions): ResolvedOptions {
  const { node, secrets, group = '239.255.0.2', port = 45_893, intervalMs = 5_000 } = options;
  const rule = { reason: REASON } as const;
  if (!isName(node.nodeId)) throw invalidOption('node.nodeId', node.nodeId, '1 to 255 characters', rule);
  if (!isNodeUrl(node.url)) throw invalidOption('node.url', node.url, 'a ws:// or wss:// URL', rule);
  if (secrets.length === 0 || secrets.some((secret) => secret === '')) {
    // The value is not shown: it may be a secret.
    throw invalidOption('secrets', undefined, 'a list of secrets that are not empty', rule);
  }
  if (!isMulticast(group)) throw invalidOption('group', group, 'an IPv4 multicast address', rule);
  requireInteger('port', port, { ...rule, min: 1, max: 65_535 });
  requireNumber('intervalMs', intervalMs, { ...rule, above: 0, max: MAX_TIMER_MS });
  return Object.freeze({ node, secrets: Object.freeze([...secrets]), group, port, intervalMs });
}

export function resolveComponents(
  components: MulticastDiscoveryComponents,
): Required<MulticastDiscoveryComponents> {
  const { clock = systemClock, logger = silentLogger, random = Math.random } = components;
  return Object.freeze({ clock, logger, random });
}

/** Longest URL of a node. */
const MAX_URL_UNITS = 512;

export function isNodeUrl(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_URL_UNITS && /^wss?:\/\/[^\s]+$/.test(value);
}

function isMulticast(address: string): boolean {
  const first = Number(address.split('.')[0]);
  return isIP(address) === 4 && first >= 224 && first <= 239;
}
