import { uuidV5 } from '@esdb-gater/primitives';
import { describe, expect, test } from 'vitest';
import { encodeOutgoing } from '../producer/outgoing-record.ts';
import { decodeRecord } from './record-decoder.ts';
import type { KafkaRecord } from './record-set.ts';

const TOPIC = 'esdb_channel_events';

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value * 2; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest < 128 ? rest : (rest % 128) | 128);
    if (rest < 128) return Buffer.from(bytes);
  }
}

function headersOf(headers: readonly (readonly [string, Buffer])[]): Buffer {
  const parts = headers.flatMap(([name, value]) => [
    varint(name.length),
    Buffer.from(name),
    varint(value.length),
    value,
  ]);
  return Buffer.concat([varint(headers.length), ...parts]);
}

function record(given: Partial<KafkaRecord>, headers: Record<string, string> = {}): KafkaRecord {
  const list = Object.entries(headers).map(([name, value]) => [name, Buffer.from(value)] as const);
  return {
    offset: 17,
    timestampMs: Date.UTC(2026, 0, 2),
    key: Buffer.from('user.created'),
    value: Buffer.from('{"n":1}'),
    headers: headersOf(list),
    ...given,
  };
}

describe('a record that came in', () => {
  test('of a gateway is decoded to the record that was sent', () => {
    const out = {
      id: '0192f0c0-0000-7000-8000-000000000001',
      topic: 'user.created',
      message: { text: 'Grüße', list: [1, null] },
      time: '2026-01-01T00:00:00.123Z',
      type: 'user_created',
      source: 'esdb://default/stream/default/user-1',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      tracestate: 'a=b',
    };
    const sent = encodeOutgoing(out);
    const { identity, ...back } = decodeRecord(
      record({ key: sent.key, value: sent.value, headers: headersOf(sent.headers) }),
      TOPIC,
      0,
    ) as Exclude<ReturnType<typeof decodeRecord>, string>;
    const { type: _, source: __, ...expected } = out;
    expect(back).toEqual(expected);
    expect(identity).toBe(`${out.id}\n${out.source}\n${out.topic}`);
    expect(Object.fromEntries(sent.headers.map(([name, value]) => [name, value.toString()]))).toEqual({
      ce_specversion: '1.0',
      ce_id: out.id,
      ce_source: out.source,
      ce_type: out.type,
      ce_subject: out.topic,
      ce_time: out.time,
      'content-type': 'application/json',
      traceparent: out.traceparent,
      tracestate: out.tracestate,
    });
  });

  test('without headers gets an id of its place, its Kafka time, and is never taken for a duplicate', () => {
    expect(decodeRecord(record({}), TOPIC, 3)).toEqual({
      id: uuidV5('esdb_channel_events/3/17'),
      topic: 'user.created',
      message: { n: 1 },
      time: '2026-01-02T00:00:00.000Z',
    });
  });

  test('passes on every number as it was written [R17]', () => {
    const value = '{"id":9223372036854775807,"list":[1,-9007199254740993,1e999],"fine":0.1}';
    const decoded = decodeRecord(record({ value: Buffer.from(value) }), TOPIC, 0);
    expect(JSON.stringify((decoded as { message: unknown }).message)).toBe(value);
  });

  test.each([
    ['no_key', { key: null }],
    ['no_key', { key: Buffer.alloc(0) }],
    ['empty_value', { value: null }],
    ['empty_value', { value: Buffer.alloc(0) }],
    ['key_not_utf8', { key: Buffer.from([0x61, 0xff]) }],
    ['key_not_a_topic', { key: Buffer.from('a..b') }],
    ['key_not_a_topic', { key: Buffer.from('a.>') }],
    ['value_not_utf8', { value: Buffer.from([0x22, 0xc3, 0x28, 0x22]) }],
    ['value_not_json', { value: Buffer.from('{n:1}') }],
    ['value_not_json', { value: Buffer.from('\ufeff{}') }],
    ['value_too_deep', { value: Buffer.from('['.repeat(2_000) + ']'.repeat(2_000)) }],
    ['value_too_deep', { value: Buffer.alloc(500_000, '[') }],
    ['bad_headers', { headers: Buffer.from([0x7e, 0x7e, 0x01]) }],
  ])('is refused as %s', (reason, given) => {
    expect(decodeRecord(record(given), TOPIC, 0)).toBe(reason);
  });

  test.each(['not a time', '', '99999999999999', '+275760-09-13T00:00:00.000Z'])(
    'with %j as its time has its Kafka time',
    (time) => {
      expect(decodeRecord(record({}, { ce_time: time }), TOPIC, 0)).toMatchObject({
        time: '2026-01-02T00:00:00.000Z',
      });
    },
  );

  test('with a time of another zone or precision has it written as ours', () => {
    const decoded = decodeRecord(record({}, { ce_time: '2026-01-01T02:00:00.123456+02:00' }), TOPIC, 0);
    expect(decoded).toMatchObject({ time: '2026-01-01T00:00:00.123Z' });
  });

  test.each(['', 'x\ny', 'a'.repeat(256)])('with %j as its id gets one of its place', (id) => {
    expect(decodeRecord(record({}, { ce_id: id }), TOPIC, 0)).toMatchObject({
      id: uuidV5('esdb_channel_events/0/17'),
    });
  });

  test.each([
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nx: y',
    '00-00000000000000000000000000000000-b7ad6b7169203331-01',
    'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    'x'.repeat(5_000),
  ])('with a hostile traceparent has none', (traceparent) => {
    expect(decodeRecord(record({}, { traceparent, tracestate: 'a=b' }), TOPIC, 0)).not.toHaveProperty(
      'traceparent',
    );
    expect(decodeRecord(record({}, { traceparent, tracestate: 'a=b' }), TOPIC, 0)).not.toHaveProperty(
      'tracestate',
    );
  });

  test('may have a thousand other headers', () => {
    const headers = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`h${i}`, 'v']));
    expect(decodeRecord(record({}, { ...headers, ce_id: 'mine' }), TOPIC, 0)).toMatchObject({ id: 'mine' });
  });
});
