import type { OutgoingRecord } from '@esdb-gater/types';
import type { DriverRecord } from '../client/driver.ts';

const SPEC_VERSION = Buffer.from('1.0');
const JSON_TYPE = Buffer.from('application/json');

/**
 * Encodes a message as a Kafka record: the topic as its key, the message as JSON, and the attributes of CloudEvents in
 * the binary mode of their Kafka binding. No header has a name that a client chose.
 */
export function encodeOutgoing(record: OutgoingRecord): DriverRecord {
  const headers: (readonly [string, Buffer])[] = [
    ['ce_specversion', SPEC_VERSION],
    ['ce_id', Buffer.from(record.id)],
    ['ce_source', Buffer.from(record.source)],
    ['ce_type', Buffer.from(record.type)],
    ['ce_subject', Buffer.from(record.topic)],
    ['ce_time', Buffer.from(record.time)],
    ['content-type', JSON_TYPE],
  ];
  if (record.traceparent !== undefined) headers.push(['traceparent', Buffer.from(record.traceparent)]);
  if (record.tracestate !== undefined) headers.push(['tracestate', Buffer.from(record.tracestate)]);
  return {
    key: Buffer.from(record.topic),
    value: Buffer.from(JSON.stringify(record.message)),
    headers,
    timestampMs: Date.parse(record.time),
  };
}

/** Estimates the size of a record in memory and in a request. */
export function estimateBytes(record: DriverRecord): number {
  let bytes = 32 + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  for (const [name, value] of record.headers) bytes += name.length + value.length + 4;
  return bytes;
}
