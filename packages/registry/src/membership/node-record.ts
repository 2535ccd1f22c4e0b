import type { AnnouncedWorker } from '@esdb-gater/types';

/** In the order of precedence: of two claims about one version of a node the later one wins. */
export const NODE_STATUSES = ['alive', 'suspected', 'dead', 'left'] as const;

export type NodeStatus = (typeof NODE_STATUSES)[number];

/** What one node says of another, or of itself. */
export interface NodeRecord {
  readonly nodeId: string;
  /** Of the process: a higher one has started later. */
  readonly incarnation: number;
  readonly url: string;
  /** Counts how often this incarnation has refuted that it is dead. Only the node itself increases it. */
  readonly version: number;
  readonly status: NodeStatus;
  /** The version of its workers that the sender of the record has; 0 for none. */
  readonly workersVersion: number;
}

/** A record on its way, with the workers when there are only a few. */
export interface NodeNews {
  readonly record: NodeRecord;
  readonly workers?: readonly AnnouncedWorker[];
}

/** Longest URL of a node. */
const MAX_URL_UNITS = 512;

const NODE_URL = /^wss?:\/\/[^\s]+$/;

export function isNodeUrl(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_URL_UNITS && NODE_URL.test(value);
}

/**
 * Compares two processes with the same node id: positive when `a` replaces `b`. Two processes may have started with the
 * same incarnation, when a data folder was copied; then the greater URL wins, so that all nodes decide alike.
 */
export function compareProcesses(
  a: Pick<NodeRecord, 'incarnation' | 'url'>,
  b: Pick<NodeRecord, 'incarnation' | 'url'>,
): number {
  if (a.incarnation !== b.incarnation) return a.incarnation - b.incarnation;
  if (a.url === b.url) return 0;
  return a.url > b.url ? 1 : -1;
}

export function isGone({ status }: Pick<NodeRecord, 'status'>): boolean {
  return status === 'dead' || status === 'left';
}
