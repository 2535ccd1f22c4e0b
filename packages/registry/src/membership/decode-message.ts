import { utf8Bytes } from '@esdb-gater/primitives';
import { type AnnouncedWorker, isName, isStoreId } from '@esdb-gater/types';
import {
  BUCKETS,
  FORMAT,
  MAX_METHODS,
  MAX_NEWS,
  MAX_WORKERS,
  MAX_WORKERS_BYTES,
  type MembershipMessage,
  type MessageBody,
} from './messages.ts';
import { isNodeUrl, NODE_STATUSES, type NodeNews, type NodeRecord } from './node-record.ts';

const MAX_INCARNATION = 2 ** 52;

/** Thrown and caught in this file only. */
class Malformed extends Error {}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Decodes a message as `encodeMessage` made it. Unknown members are ignored, so that nodes of a later version may add
 * some; everything else must fit. Every text, list and number has a bound.
 *
 * @returns undefined for a message that is not valid
 */
export function decodeMessage(value: unknown): MembershipMessage | undefined {
  try {
    const fields = asObject(value);
    if (fields['v'] !== FORMAT) return undefined;
    const from = asRecord(fields['from']);
    // Whoever sends is alive. That it leaves is news.
    if (from.status !== 'alive') return undefined;
    return { from, ...asBody(fields) };
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

function asBody(fields: Fields): MessageBody {
  const { type } = fields;
  switch (type) {
    case 'ping':
    case 'ack':
      return {
        type,
        sequence: asCount(fields['sequence']),
        timeMs: asTime(fields['timeMs']),
        digest: asUint32(fields['digest']),
      };
    case 'ask': {
      const { nodeId, url } = asObject(fields['target']);
      return {
        type,
        sequence: asCount(fields['sequence']),
        target: { nodeId: asName(nodeId), url: asUrl(url) },
      };
    }
    case 'answered':
      return { type, sequence: asCount(fields['sequence']), nodeId: asName(fields['nodeId']) };
    case 'news':
      return { type, news: asNews(fields['news']) };
    case 'sync':
      return { type, digests: asDigests(fields['digests']), ...asVia(fields['via']) };
    case 'state':
      return {
        type,
        digests: asDigests(fields['digests']),
        buckets: asBuckets(fields['buckets']),
        news: asNews(fields['news']),
        more: asFlag(fields['more']),
        ...asVia(fields['via']),
      };
    case 'pull':
      return { type, nodeId: asName(fields['nodeId']), incarnation: asIncarnation(fields['incarnation']) };
    default:
      throw new Malformed();
  }
}

function asNews(value: unknown): NodeNews[] {
  return asArray(value, MAX_NEWS).map((item) => {
    const tuple = asArray(item, 7);
    const record = asRecord(tuple.slice(0, 6));
    return tuple.length === 7 ? { record, workers: asWorkers(tuple[6]) } : { record };
  });
}

function asRecord(value: unknown): NodeRecord {
  const tuple = asArray(value, 6);
  const [nodeId, incarnation, version, code, url, workersVersion] = tuple;
  const status = NODE_STATUSES[asCount(code)];
  if (status === undefined) throw new Malformed();
  return {
    nodeId: asName(nodeId),
    incarnation: asIncarnation(incarnation),
    version: asCount(version),
    status,
    url: asUrl(url),
    workersVersion: asCount(workersVersion),
  };
}

function asWorkers(value: unknown): AnnouncedWorker[] {
  const workers = asArray(value, MAX_WORKERS).map(asWorker);
  if (workersBytes(workers) > MAX_WORKERS_BYTES) throw new Malformed();
  return workers;
}

function asWorker(value: unknown): AnnouncedWorker {
  const { storeId, storeUuid, workerId, incarnation, registeredAt, methods, keepsSubscriptions } =
    asObject(value);
  if (typeof storeId !== 'string' || !isStoreId(storeId)) throw new Malformed();
  return Object.freeze({
    storeId,
    ...(storeUuid === undefined ? {} : { storeUuid: asName(storeUuid) }),
    workerId: asName(workerId),
    incarnation: asInteger(incarnation),
    registeredAt: asTime(registeredAt),
    methods: Object.freeze(asArray(methods, MAX_METHODS).map(asName)),
    ...(keepsSubscriptions === undefined ? {} : { keepsSubscriptions: asFlag(keepsSubscriptions) }),
  });
}

/** Returns the size of workers as JSON in UTF-8. */
export function workersBytes(workers: readonly AnnouncedWorker[]): number {
  return workers.length === 0 ? 0 : utf8Bytes(JSON.stringify(workers));
}

function asVia(value: unknown): { readonly via?: string } {
  return value === undefined ? {} : { via: asUrl(value) };
}

function asDigests(value: unknown): number[] {
  const digests = asArray(value, BUCKETS).map(asUint32);
  if (digests.length !== BUCKETS) throw new Malformed();
  return digests;
}

function asBuckets(value: unknown): number[] {
  const buckets = asArray(value, BUCKETS).map(asCount);
  if (buckets.some((bucket) => bucket >= BUCKETS)) throw new Malformed();
  return buckets;
}

function asObject(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Malformed();
  return value as Fields;
}

function asArray(value: unknown, maxItems: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > maxItems) throw new Malformed();
  return value;
}

function asInteger(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new Malformed();
  return value as number;
}

/** Below the largest integer, so that a node can always outbid what others say of it. */
function asIncarnation(value: unknown): number {
  const incarnation = asCount(value);
  if (incarnation > MAX_INCARNATION) throw new Malformed();
  return incarnation;
}

function asCount(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new Malformed();
  return value as number;
}

function asUint32(value: unknown): number {
  const number = asCount(value);
  if (number > 0xffff_ffff) throw new Malformed();
  return number;
}

function asTime(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Malformed();
  return value;
}

function asFlag(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new Malformed();
  return value;
}

function asName(value: unknown): string {
  if (typeof value !== 'string' || !isName(value)) throw new Malformed();
  return value;
}

function asUrl(value: unknown): string {
  if (!isNodeUrl(value)) throw new Malformed();
  return value;
}
