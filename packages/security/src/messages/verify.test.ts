import { fc } from '@esdb-gater/property-testing';
import { afterEach, describe, expect, test } from 'vitest';
import { canonicalJson } from '../encoding/canonical-json.ts';
import { hmacSha256 } from '../hmac.ts';
import type { SignatureMembers } from './members.ts';
import { createNonceCache } from './nonce-cache.ts';
import { createSecretRing, ringOf, setSecret } from './secret-ring.ts';
import { type SignOptions, sign } from './sign.ts';
import { type VerifyOptions, verify, verifyMessage } from './verify.ts';

const NOW = 1_800_000_000;
const ALERTS = { secret: 'correct horse', channel: 'alerts', topic: 'disk.full', now: NOW } as const;

afterEach(() => setSecret(undefined));

function signed(options: SignOptions = ALERTS): Record<string, unknown> {
  return { ...sign({ host: 'a', free: 0 }, options) };
}

/** The code and reason that `verify` throws; Returns `true` when it does not throw. */
function verdict(message: unknown, options: VerifyOptions = ALERTS): unknown {
  try {
    return verify(message, options);
  } catch (error) {
    const { code, reason } = error as { code: string; reason?: string };
    return reason === undefined ? code : `${code}/${reason}`;
  }
}

describe('sign', () => {
  test('adds exactly the four members, over the documented bytes', () => {
    const message = sign({ b: 1, a: 'é' }, ALERTS);
    expect(Object.keys(message).sort()).toEqual(['a', 'b', 'key_id', 'nonce', 'signature', 'signed_at']);
    const { signature, ...rest } = message;
    const bytes = new TextEncoder().encode(`esdb-gater/1\nalerts\ndisk.full\n${canonicalJson(rest)}`);
    expect(signature).toBe(Buffer.from(hmacSha256('correct horse', bytes)).toString('base64url'));
    expect(message).toMatchObject({ signed_at: NOW, key_id: 'default' });
    expect(Buffer.from(message.nonce, 'base64url')).toHaveLength(12);
  });

  test('never uses a nonce twice', () => {
    const nonces = Array.from({ length: 1_000 }, () => sign({}, ALERTS).nonce);
    expect(new Set(nonces).size).toBe(1_000);
    for (const nonce of nonces) expect(Buffer.from(nonce, 'base64url')).toHaveLength(12);
  });

  test('takes an empty text for a missing channel and topic', () => {
    const { signature, ...rest } = sign({ a: 1 }, { secret: 's', now: NOW });
    const bytes = new TextEncoder().encode(`esdb-gater/1\n\n\n${canonicalJson(rest)}`);
    expect(signature).toBe(Buffer.from(hmacSha256('s', bytes)).toString('base64url'));
  });

  test('never again: signing a signed message breaking it', () => {
    const once = signed();
    const twice = sign(once, ALERTS);
    expect(verdict(twice)).toBe(true);
    expect(twice.nonce).not.toBe(once['nonce']);
    expect(verdict(once)).toBe(true);
  });

  test('refuses a message with some of the four members', () => {
    for (const name of ['signed_at', 'nonce', 'key_id', 'signature']) {
      const { [name]: _, ...three } = signed();
      expect(() => sign(three, ALERTS)).toThrow(expect.objectContaining({ reason: 'reserved_member' }));
      expect(() => sign({ [name]: 1 }, ALERTS)).toThrow(
        expect.objectContaining({ reason: 'reserved_member' }),
      );
    }
  });

  test('refuses values that are not an object, and lone surrogates', () => {
    for (const wrong of [null, [], 'text', 1, undefined, new Date(), { a: '\ud800' }, { '\udc00': 1 }]) {
      expect(() => sign(wrong as object, ALERTS)).toThrow(
        expect.objectContaining({ code: 'invalid_argument' }),
      );
    }
  });

  test('refuses to work without a secret, and explains how to set one', () => {
    expect(() => sign({})).toThrow(/setSecret/);
    expect(verdict(signed(), { now: NOW })).toBe('invalid_signature/unknown_key');
  });

  test('keeps members with the names of inherited members', () => {
    const message = JSON.parse(
      '{"__proto__":{"admin":true},"constructor":1,"toString":2,"hasOwnProperty":3}',
    );
    const good = sign(message, ALERTS);
    expect(Object.hasOwn(good, '__proto__')).toBe(true);
    expect(verdict(JSON.parse(JSON.stringify(good)))).toBe(true);
    expect(verdict({ ...JSON.parse(JSON.stringify(good)), ['constructor']: 2 })).toBe(
      'invalid_signature/mismatch',
    );
    expect(verdict(JSON.parse('{"__proto__":{"signature":"x"}}'))).toBe('signature_required');
  });

  test('never again: an unsigned binary form that differs between runtimes (any JSON, sent over the wire, verifies)', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'binary', maxLength: 12 }), fc.jsonValue({ stringUnit: 'binary' }), {
          maxKeys: 12,
        }),
        (message) => {
          fc.pre(!['signed_at', 'nonce', 'key_id', 'signature'].some((name) => Object.hasOwn(message, name)));
          expect(verdict(JSON.parse(JSON.stringify(sign(message, ALERTS))))).toBe(true);
        },
      ),
    );
  });
});

describe('verify, in the documented order', () => {
  test('asks first for any of the four members', () => {
    expect(verdict({ host: 'a' })).toBe('signature_required');
    expect(verdict({})).toBe('signature_required');
  });

  test('never again: a wrongly typed signature crashing a channel', () => {
    for (const wrong of [42, null, {}, [], true, '', 'x'.repeat(43), 'ä'.repeat(43), `${'A'.repeat(42)}B`]) {
      expect(verdict({ ...signed(), signature: wrong, signed_at: 'x' })).toBe('invalid_signature/malformed');
    }
    for (const wrong of [42, null, '', 'short', 'x'.repeat(17), '================']) {
      expect(verdict({ ...signed(), nonce: wrong })).toBe('invalid_signature/malformed');
    }
    for (const wrong of [42, null, '', 'x'.repeat(256)]) {
      expect(verdict({ ...signed(), key_id: wrong })).toBe('invalid_signature/malformed');
    }
    for (const name of ['signature', 'nonce', 'key_id']) {
      const { [name]: _, signed_at: __, ...rest } = signed();
      expect(verdict(rest)).toBe('invalid_signature/malformed');
    }
  });

  test('then for the time of signing', () => {
    const { signed_at: _, ...timeless } = signed();
    expect(verdict(timeless)).toBe('invalid_signature/missing_timestamp');
    for (const wrong of ['1800000000', 1.5, -1, null, 2 ** 53, {}]) {
      expect(verdict({ ...signed(), signed_at: wrong })).toBe('invalid_signature/invalid_timestamp');
    }
  });

  test('accepts 300 s of age and 60 s of being ahead, and refuses 301 and 61 (T7)', () => {
    const at = (now: number): unknown => verdict(signed(), { ...ALERTS, now });
    expect([at(NOW + 300), at(NOW - 60)]).toEqual([true, true]);
    expect([at(NOW + 301), at(NOW - 61), at(NOW - 301)]).toEqual(Array(3).fill('invalid_signature/expired'));
    expect(verdict(signed(), { ...ALERTS, now: NOW + 11, ttlSeconds: 10 })).toBe('invalid_signature/expired');
  });

  test('takes any lifetime above 0', () => {
    for (const wrong of [0, -1, Number.NaN, '300', null]) {
      expect(verdict(signed(), { ...ALERTS, ttlSeconds: wrong as number })).toBe('invalid_argument/range');
    }
    const at = (ttlSeconds: number, now: number): unknown =>
      verdict(signed(), { ...ALERTS, ttlSeconds, now });
    expect([at(0.5, NOW), at(Number.POSITIVE_INFINITY, 2 * NOW)]).toEqual([true, true]);
    expect(verdict(signed({ ...ALERTS, now: 0 }), { ...ALERTS, now: 5 })).toBe(true);
  });

  test('never again: a clock 2 s ahead refused', () => {
    expect(verdict(signed({ ...ALERTS, now: NOW + 2 }))).toBe(true);
  });

  test('takes the present as the time of signing and of verifying, when none is given', () => {
    const { now: _, ...unstamped } = ALERTS;
    const message = sign({ a: 1 }, unstamped);
    expect(Math.abs(message.signed_at - Date.now() / 1_000)).toBeLessThan(60);
    expect(verdict(message, unstamped)).toBe(true);
    expect(verdict(signed(), unstamped)).toBe('invalid_signature/expired');
  });

  test('takes `now` as Unix seconds, as Unix milliseconds and as a Date', () => {
    for (const now of [NOW, NOW * 1000, new Date(NOW * 1000)])
      expect(verdict(signed(), { ...ALERTS, now })).toBe(true);
  });

  test('asks for the age before the key, and for the key before the MAC', () => {
    const message = { ...signed(), key_id: 'other', host: 'b' };
    expect(verdict(message, { ...ALERTS, now: NOW + 301 })).toBe('invalid_signature/expired');
    expect(verdict(message)).toBe('invalid_signature/unknown_key');
  });

  test('distinguishes an unbound message from a wrong one', () => {
    const unbound = signed({ secret: ALERTS.secret, now: NOW });
    expect(verdict(unbound)).toBe('invalid_signature/unbound');
    expect(verdict(unbound, { secret: ALERTS.secret, now: NOW })).toBe(true);
    expect(verdict(signed(), { secret: ALERTS.secret, now: NOW })).toBe('invalid_signature/mismatch');
    expect(verdict({ ...unbound, host: 'b' })).toBe('invalid_signature/mismatch');
  });

  test('never again: replay on another topic (or channel) (T7)', () => {
    expect(verdict(signed(), { ...ALERTS, topic: 'disk.fine' })).toBe('invalid_signature/mismatch');
    expect(verdict(signed(), { ...ALERTS, channel: 'security' })).toBe('invalid_signature/mismatch');
  });

  test('distinguishes an unbound message also when it is bound to a channel or a topic only', () => {
    const { secret, now } = ALERTS;
    const unbound = signed({ secret, now });
    for (const binding of [{ channel: 'alerts' }, { topic: 'disk.full' }]) {
      expect(verdict(unbound, { secret, now, ...binding })).toBe('invalid_signature/unbound');
      expect(verdict(signed({ secret, now, ...binding }), { secret, now, ...binding })).toBe(true);
      expect(verdict(signed({ secret, now, ...binding }))).toBe('invalid_signature/mismatch');
    }
  });

  test('refuses a channel and a topic that are not well-formed texts', () => {
    for (const wrong of [1, null, '\ud800', 'a\u0000', 'a\u007f', 'a\u009f']) {
      for (const name of ['channel', 'topic'] as const) {
        expect(() => sign({}, { ...ALERTS, [name]: wrong as string })).toThrow(
          expect.objectContaining({ code: 'invalid_argument' }),
        );
      }
    }
  });

  test('refuses a message of more than 16 Mi characters', () => {
    const text = 'x'.repeat(16_777_216);
    expect(() => sign({ text }, ALERTS)).toThrow(expect.objectContaining({ reason: 'too_large' }));
    expect(() => sign({ text: text.slice(200) }, ALERTS)).not.toThrow();
  });

  test('lets no newline shift the border between channel and topic', () => {
    expect(() => sign({}, { secret: 's', channel: 'a\nb', topic: 'c' })).toThrow(
      expect.objectContaining({ code: 'invalid_argument', reason: 'channel' }),
    );
    expect(() => sign({}, { secret: 's', channel: 'a', topic: 'b\nc' })).toThrow(
      expect.objectContaining({ code: 'invalid_argument', reason: 'topic' }),
    );
  });

  test('refuses a change of any character of the signature, the nonce, and of every other member (T7)', () => {
    const message = signed();
    for (const name of ['signature', 'nonce'] as const) {
      const text = String(message[name]);
      for (let i = 0; i < text.length; i++) {
        const changed = text.slice(0, i) + (text[i] === 'A' ? 'E' : 'A') + text.slice(i + 1);
        expect(verdict({ ...message, [name]: changed })).toBe('invalid_signature/mismatch');
      }
    }
    for (const change of [{ host: 'b' }, { free: 1 }, { extra: null }, { signed_at: NOW + 1 }]) {
      expect(verdict({ ...message, ...change })).toBe('invalid_signature/mismatch');
    }
    const { host: _, ...less } = message;
    expect(verdict(less)).toBe('invalid_signature/mismatch');
  });

  test('does not care in which order the members come', () => {
    expect(verdict(Object.fromEntries(Object.entries(signed()).reverse()))).toBe(true);
  });
});

describe('secrets', () => {
  const [older, newer] = [
    { keyId: '2025', secret: 'old' },
    { keyId: '2026', secret: 'new' },
  ];

  test('rotate without loss: the first signs, all verify (T7)', () => {
    setSecret([older]);
    const before = sign({ a: 1 });
    setSecret([newer, older]);
    const after = sign({ a: 1 });
    expect([before.key_id, after.key_id]).toEqual(['2025', '2026']);
    expect([verify(before), verify(after)]).toEqual([true, true]);
    setSecret([newer]);
    expect(verdict(before, {})).toBe('invalid_signature/unknown_key');
    expect(verify(after)).toBe(true);
  });

  test('sign with the key that is asked for', () => {
    setSecret([newer, older]);
    expect(sign({}, { keyId: '2025' }).key_id).toBe('2025');
    expect(() => sign({}, { keyId: '2024' })).toThrow(
      expect.objectContaining({ details: { reason: 'unknown_key', keyId: '2024' } }),
    );
    const named = sign({}, { secret: 'x', keyId: 'mine' });
    expect(verdict(named, { secret: [{ keyId: 'mine', secret: 'x' }] })).toBe(true);
    expect(verdict(named, { secret: 'x' })).toBe('invalid_signature/unknown_key');
  });

  test('may be 100, and their names 255 characters', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, n) => ({ keyId: `k${n}`, secret: `${n}` }));
    expect(createSecretRing(many(100)).keyIds).toHaveLength(100);
    expect(() => createSecretRing(many(101))).toThrow(expect.objectContaining({ reason: 'secret' }));
    expect(createSecretRing([{ keyId: 'k'.repeat(255), secret: 's' }]).has('k'.repeat(255))).toBe(true);
    expect(() => createSecretRing([{ keyId: 'k'.repeat(256), secret: 's' }])).toThrow(
      expect.objectContaining({ reason: 'secret' }),
    );
  });

  test('verify nothing under a name that they do not have', () => {
    const ring = createSecretRing('x');
    const { keyId, signature } = ring.sign('text');
    expect([ring.verify(keyId, 'text', signature), ring.verify('other', 'text', signature)]).toEqual([
      true,
      false,
    ]);
  });

  test('that are asked for by their texts are prepared once, also when others are asked for in between', () => {
    const first = ringOf('first');
    expect(ringOf('second')).not.toBe(first);
    expect(ringOf('first')).toBe(first);
  });

  test('that are asked for by their texts stay apart, however many they are and whatever their names', () => {
    const messages = Array.from({ length: 100 }, (_, n) =>
      sign({ n }, { secret: `s${n}`, keyId: `k${n % 3}` }),
    );
    for (let round = 0; round < 2; round++) {
      for (const [n, message] of messages.entries()) {
        expect(verdict(message, { secret: `s${n}`, keyId: `k${n % 3}` })).toBe(true);
        expect(verdict(message, { secret: `s${n + 1}`, keyId: `k${n % 3}` })).toBe(
          'invalid_signature/mismatch',
        );
        expect(verdict(message, { secret: `s${n}`, keyId: 'other' })).toBe('invalid_signature/unknown_key');
      }
    }
    // A name and a secret that read the same when put together.
    const message = sign({}, { secret: 'bc', keyId: 'a' });
    expect(verdict(message, { secret: 'c', keyId: 'ab' })).toBe('invalid_signature/unknown_key');
  });

  test('with the right key id and another secret do not verify', () => {
    const message = sign({}, { secret: 'x' });
    expect(verdict(message, { secret: 'y' })).toBe('invalid_signature/mismatch');
  });

  test('are texts that are not empty, under names that differ', () => {
    const wrong = [
      '',
      [],
      [{ keyId: 'a', secret: '' }],
      [{ keyId: '', secret: 'x' }],
      [older, older],
      1,
      null,
      [1],
    ];
    for (const secrets of [...wrong, [{ secret: 'x' }]]) {
      expect(() => setSecret(secrets as string)).toThrow(
        expect.objectContaining({ code: 'invalid_argument', reason: 'secret' }),
      );
    }
    expect(() => setSecret('\ud800')).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });

  test('never appear in an error', () => {
    const secret = 'hunter2 '.repeat(9);
    for (const attempt of [
      () =>
        setSecret([
          { keyId: 'a', secret },
          { keyId: 'a', secret },
        ]),
      () => createSecretRing([{ keyId: secret.repeat(9), secret }]),
      () => sign([] as object, { secret }),
    ]) {
      expect(attempt).toThrow();
      try {
        attempt();
      } catch (error) {
        expect(String(error)).not.toContain('hunter2');
      }
    }
  });
});

describe('verifyMessage', () => {
  const secrets = createSecretRing('correct horse');
  const where = { secrets, channel: 'alerts', topic: 'disk.full', now: NOW };

  test('accepts a nonce once', () => {
    const nonces = createNonceCache();
    const message = signed();
    const { nonce, keyId, signedAt } = verifyMessage(message, { ...where, nonces });
    expect({ nonce, keyId, signedAt }).toEqual({ nonce: message['nonce'], keyId: 'default', signedAt: NOW });
    expect(() => verifyMessage(message, { ...where, nonces })).toThrow(
      expect.objectContaining({ code: 'invalid_signature', reason: 'replayed' }),
    );
    expect(() => verifyMessage(message, where)).not.toThrow();
  });

  test('releases the nonce when a later step refuses the message', () => {
    const nonces = createNonceCache();
    const message = signed();
    verifyMessage(message, { ...where, nonces }).release();
    expect(() => verifyMessage(message, { ...where, nonces })).not.toThrow();
  });

  test('does not use the nonce of a message that does not verify', () => {
    const nonces = createNonceCache();
    const message: Partial<SignatureMembers> = { ...signed(), key_id: 'no' };
    expect(() => verifyMessage(message, { ...where, nonces })).toThrow();
    expect(nonces.size).toBe(0);
  });
});
