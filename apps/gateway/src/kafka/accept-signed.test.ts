import { createSignatureGate } from '@esdb-gater/channels';
import { parseExactly } from '@esdb-gater/primitives';
import { sign } from '@esdb-gater/security';
import type { JsonObject, JsonValue } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { acceptSigned } from './accept-signed.ts';

const NOW_MS = 1_767_225_600_000;
const gate = createSignatureGate({}, { secret: 's', ttlSeconds: 300 });
const accept = acceptSigned(new Set(['alerts']), gate);

function judge(message: JsonValue, { topic = 'disk.full', channel = 'alerts' as const, ageMs = 0 } = {}) {
  const time = new Date(NOW_MS).toISOString();
  return accept(channel, { id: 'i', topic, message, time, position: 'p' }, { kafkaTimeMs: NOW_MS + ageMs });
}

function signed(secret = 's'): JsonObject {
  const now = new Date(NOW_MS);
  return sign({ n: 1 }, { secret, channel: 'alerts', topic: 'disk.full', now }) as unknown as JsonObject;
}

test('a channel without signatures takes everything', () => {
  expect(acceptSigned(new Set(), gate)('alerts', {} as never, { kafkaTimeMs: 0 })).toBe(true);
});

test('a signed record is accepted, also when it is read for a second time', () => {
  const message = signed();
  expect([judge(message), judge(message)]).toEqual([true, true]);
});

test('an unsigned record, one signed with another secret or one moved to another topic is refused with the reason', () => {
  expect(judge({ n: 1 })).toBe('signature_required');
  expect(judge('text')).toBe('signature_required');
  expect(judge(signed('other'))).toBe('invalid_signature: mismatch');
  expect(judge(signed(), { topic: 'disk.fine' })).toBe('invalid_signature: mismatch');
  expect(judge({ ...signed(), n: 2 })).toBe('invalid_signature: mismatch');
});

test('the age is judged at the time of the Kafka record, not at the time that its writer gave', () => {
  expect(judge(signed(), { ageMs: 299_000 })).toBe(true);
  expect(judge(signed(), { ageMs: 302_000 })).toBe('invalid_signature: expired');
});

test('a number that the signature cannot cover is refused, even if the signed text looks the same [R17]', () => {
  const now = new Date(NOW_MS);
  const lookalike = { n: { rawJSON: '9007199254740993' } };
  const message = sign(lookalike, { secret: 's', channel: 'alerts', topic: 'disk.full', now });
  const text = JSON.stringify(message);
  expect(judge(parseExactly(text) as JsonValue)).toBe(true);
  const forged = text.replace('{"rawJSON":"9007199254740993"}', '9007199254740993');
  expect(judge(parseExactly(forged) as JsonValue)).toBe('invalid_signature: number');
});
