import type { AnnouncedWorker, PeerAddress } from '@esdb-gater/types';
import { NODE_STATUSES, type NodeNews, type NodeRecord } from './node-record.ts';

/** The messages of the membership. Each begins with what its sender says of itself. */
export type MembershipMessage = { readonly from: NodeRecord } & MessageBody;

export type MessageBody =
  /** Asks for an `ack`. */
  | {
      readonly type: 'ping' | 'ack';
      readonly sequence: number;
      /** The wall clock of the sender, Unix milliseconds. */
      readonly timeMs: number;
      /** Of all live members that the sender knows: equal when both know the same. */
      readonly digest: number;
    }
  /** Asks the receiver to ping another node, and to tell by `answered` when that answers. */
  | { readonly type: 'ask'; readonly sequence: number; readonly target: Required<PeerAddress> }
  | { readonly type: 'answered'; readonly sequence: number; readonly nodeId: string }
  | { readonly type: 'news'; readonly news: readonly NodeNews[] }
  /** Asks for the records of all buckets whose digests differ. */
  | {
      readonly type: 'sync';
      readonly digests: readonly number[];
      /** The URL that the sender has used, when it does not know the node behind it. */
      readonly via?: string;
    }
  | {
      readonly type: 'state';
      readonly digests: readonly number[];
      /** The buckets whose records are in `news`, complete. */
      readonly buckets: readonly number[];
      readonly news: readonly NodeNews[];
      /** True when further buckets differ. */
      readonly more: boolean;
      readonly via?: string;
    }
  /** Asks for the workers of a node: they are answered as `news`. */
  | { readonly type: 'pull'; readonly nodeId: string; readonly incarnation: number };

/** The version of the format. Messages of another one are not understood. */
export const FORMAT = 1;

/** Parts of the members that are compared separately. */
export const BUCKETS = 32;

/** Most records of one message. */
export const MAX_NEWS = 256;

/** Workers whose JSON is at most this long travel with the record of their node; others are asked for. */
export const MAX_INLINE_BYTES = 1_024;

/** Bounds of the workers of one node. */
export const MAX_WORKERS = 4_096;
export const MAX_WORKERS_BYTES = 262_144;

/** Most methods that a worker names. */
export const MAX_METHODS = 64;

type Tuple = readonly (number | string | readonly AnnouncedWorker[])[];

function encodeRecord(record: NodeRecord): Tuple {
  const { nodeId, incarnation, version, status, url, workersVersion } = record;
  return [nodeId, incarnation, version, NODE_STATUSES.indexOf(status), url, workersVersion];
}

function encodeNews({ record, workers }: NodeNews): Tuple {
  return workers === undefined ? encodeRecord(record) : [...encodeRecord(record), workers];
}

/** Returns the message as plain JSON. Records are tuples, since their member names would be half of the bytes. */
export function encodeMessage({ from, ...body }: MembershipMessage): object {
  const head = { v: FORMAT, from: encodeRecord(from) };
  if (!('news' in body)) return { ...head, ...body };
  return { ...head, ...body, news: body.news.map(encodeNews) };
}
