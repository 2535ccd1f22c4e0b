import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestGateway } from '../support/in-process.ts';
import { type RawClient, rawConnect } from '../support/raw-client.ts';
import { bearer, rawHttp, startGuarded, tokenFor, verdict } from './support.ts';

const SECRETS = [
  { keyId: '2026', secret: 'signs and verifies' },
  { keyId: '2025', secret: 'verifies still' },
] as const;
const [NEWER, OLDER] = SECRETS;

type Message = Record<string, unknown>;

/** RFC 8785 for strings, integers and objects. The package under test does not sign. */
const canonical = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? `{${Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`)
        .join(',')}}`
    : JSON.stringify(value);

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const seconds = (): number => Math.floor(Date.now() / 1_000);

function signed(
  message: Message,
  channel: string,
  topic: string,
  { keyId, secret }: { keyId: string; secret: string } = NEWER,
  signedAt: number = seconds(),
): Message {
  const members = {
    ...message,
    signed_at: signedAt,
    nonce: randomBytes(12).toString('base64url'),
    key_id: keyId,
  };
  const text = `esdb-gater/1\n${channel}\n${topic}\n${canonical(members)}`;
  return { ...members, signature: createHmac('sha256', secret).update(text).digest('base64url') };
}

let gateway: TestGateway;
let client: RawClient;
let watcher: RawClient;
beforeAll(async () => {
  gateway = await startGuarded({ 'security-hmac-secret': JSON.stringify(SECRETS) });
  client = await rawConnect(gateway.url, bearer(tokenFor(gateway.did)));
  watcher = await rawConnect(gateway.url, bearer(tokenFor(gateway.did)));
  for (const channel of ['alerts', 'security']) await watcher.call('subscribe', { channel, topic: '>' });
});
afterAll(() => gateway.close());
beforeEach(() => {
  watcher.notices.length = 0;
});

const publish = async (message: unknown, topic = 'disk.full', channel = 'alerts', extra: object = {}) =>
  verdict(await client.call('publish', { channel, topic, message, ...extra }));

/** The delivered messages: a valid message after all others shows that none is still in flight. */
async function delivered(): Promise<unknown[]> {
  const last = signed({ last: true }, 'alerts', 'end');
  expect(await publish(last, 'end')).toBe('ok');
  const arrived = () => watcher.notices.map(({ params }) => params['message']);
  await watcher.until(() => arrived().some((message) => canonical(message) === canonical(last)));
  return arrived().slice(0, -1);
}

const sample = (): Message =>
  signed({ host: 'db-1', free: 12, at: { disk: '/', inode: 7 } }, 'alerts', 'disk.full');

describe('T7: signature replay, other channel, other topic, old key', () => {
  test('a message is good once: the same again is replayed, over WebSocket and HTTP', async () => {
    const message = sample();
    expect(await publish(message)).toBe('ok');
    expect(await publish(message)).toBe('invalid_signature/replayed');
    expect(await publish(message, 'disk.full', 'alerts', { id: crypto.randomUUID() })).toBe(
      'invalid_signature/replayed',
    );
    const answer = await rawHttp(gateway.http, 'POST', '/v1/channels/alerts/messages', {
      token: tokenFor(gateway.did),
      body: { topic: 'disk.full', message },
    });
    expect([answer.status, answer.verdict]).toEqual([403, 'invalid_signature/replayed']);
    expect(await delivered()).toEqual([message]);
  });

  test('every byte of a signed message counts: with any one flipped it is refused', async () => {
    const message = sample();
    const text = canonical(message);
    let asked = 0;
    for (let i = 0; i < text.length; i++) {
      // Seven bits: the text is ASCII, and with the eighth bit it would not be UTF-8.
      for (let bit = 1; bit < 128; bit *= 2) {
        const flipped = text.slice(0, i) + String.fromCharCode(text.charCodeAt(i) ^ bit) + text.slice(i + 1);
        if (!isJson(flipped)) continue;
        asked++;
        expect(await publish(JSON.parse(flipped)), `${i}: ${flipped}`).toMatch(
          /^(invalid_signature\/|signature_required|invalid_argument)/,
        );
      }
    }
    expect(asked).toBeGreaterThan(600);
    expect(await publish(message)).toBe('ok');
    expect(await delivered()).toEqual([message]);
  });

  test('every character of the signature and of the nonce counts, to the last bit', async () => {
    const message = sample();
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (const name of ['signature', 'nonce'] as const) {
      const text = String(message[name]);
      for (let i = 0; i < text.length; i++) {
        const next = alphabet[(alphabet.indexOf(text[i] as string) + 1) % 64];
        const changed = { ...message, [name]: text.slice(0, i) + next + text.slice(i + 1) };
        expect(await publish(changed), `${name} ${i}`).toMatch(/^invalid_signature\/(mismatch|malformed)$/);
      }
      for (const odd of [
        `${text}=`,
        ` ${text}`,
        text.slice(1),
        text.toLowerCase(),
        '',
        null,
        1,
        [text],
        {},
      ]) {
        expect(await publish({ ...message, [name]: odd }), `${name} ${String(odd)}`).toMatch(
          /^invalid_signature\/(malformed|mismatch)$/,
        );
      }
    }
    expect(await delivered()).toEqual([]);
  });

  test('a member more or less, or another value, is a mismatch', async () => {
    const message = sample();
    const { host: _, ...less } = message;
    for (const changed of [
      less,
      { ...message, extra: null },
      { ...message, free: 13 },
      { ...message, at: { disk: '/', inode: 8 } },
      { ...message, host: 'db-1\u0000' },
      { ...message, signed_at: seconds() + 1 },
    ]) {
      expect(await publish(changed)).toBe('invalid_signature/mismatch');
    }
    expect(await delivered()).toEqual([]);
  });

  test('it belongs to its channel and its topic, and moves to no other', async () => {
    const message = sample();
    for (const [topic, channel] of [
      ['disk.ful', 'alerts'],
      ['disk.full.now', 'alerts'],
      ['Disk.full', 'alerts'],
      ['disk', 'alerts'],
      ['disk.full', 'security'],
      ['disk.full', 'events'],
      ['disk.full', 'system'],
    ] as const) {
      expect(await publish(message, topic, channel), `${channel} ${topic}`).toBe(
        'invalid_signature/mismatch',
      );
    }
    // The border between channel and topic cannot be moved either.
    expect(await publish(signed({ a: 1 }, 'alerts\ndisk', 'full'), 'disk.full')).toBe(
      'invalid_signature/mismatch',
    );
    expect(await publish(signed({ a: 1 }, 'esdb_channel_alerts', 'disk.full'))).toBe(
      'invalid_signature/mismatch',
    );
    expect(await publish(signed({ a: 1 }, '', ''))).toBe('invalid_signature/unbound');
    expect(await delivered()).toEqual([]);
  });

  test('it is good for 300 s and 60 s ahead: 301 s old, 301 s ahead and 62 s ahead are expired', async () => {
    const at = (offset: number) =>
      publish(signed({ offset }, 'alerts', 'disk.full', NEWER, seconds() + offset));
    // Two seconds of slack on the good side, in case the clock moves on between here and there.
    for (const offset of [-298, -1, 0, 2, 59]) expect(await at(offset), String(offset)).toBe('ok');
    for (const offset of [-301, -302, -86_400, 62, 301]) {
      expect(await at(offset), String(offset)).toBe('invalid_signature/expired');
    }
    for (const odd of [String(seconds()), seconds() + 0.5, null, -1, 1e300]) {
      expect(await publish({ ...sample(), signed_at: odd })).toBe('invalid_signature/invalid_timestamp');
    }
    const { signed_at: _, ...without } = sample();
    expect(await publish(without)).toBe('invalid_signature/missing_timestamp');
    expect(await delivered()).toHaveLength(5);
  });

  test('a key that is not known, and the right key id with another secret, are refused', async () => {
    const by = (key: { keyId: string; secret: string }) =>
      publish(signed({ a: 1 }, 'alerts', 'disk.full', key));
    expect(await by(OLDER)).toBe('ok');
    expect(await by({ keyId: '2024', secret: 'was good once' })).toBe('invalid_signature/unknown_key');
    expect(await by({ keyId: '2024', secret: NEWER.secret })).toBe('invalid_signature/unknown_key');
    expect(await by({ keyId: '2026', secret: OLDER.secret })).toBe('invalid_signature/mismatch');
    expect(await by({ keyId: '__proto__', secret: 'undefined' })).toBe('invalid_signature/unknown_key');
    expect(await by({ keyId: '', secret: NEWER.secret })).toBe('invalid_signature/malformed');
    expect(await delivered()).toHaveLength(1);
  });

  test('an unsigned message is signature_required, and signatures are also verified where none is required', async () => {
    for (const message of [{}, { a: 1 }]) expect(await publish(message)).toBe('signature_required');
    for (const message of [null, 1, 'text', [], [sample()]]) {
      expect(await publish(message)).toMatch(/^(signature_required|invalid_argument)/);
    }
    const { signature: _, ...unsigned } = sample();
    expect(await publish(unsigned)).toBe('invalid_signature/malformed');
    const forged = { ...signed({ a: 1 }, 'system', 'disk.full'), a: 2 };
    expect(await publish(forged, 'disk.full', 'system')).toBe('invalid_signature/mismatch');
    expect(await delivered()).toEqual([]);
  });

  test('keys rotate without loss, and the old key is invalid once it is removed', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'esdb-gater-t7-'));
    const NEXT = { keyId: '2027', secret: 'the next one' };
    const rings = [[OLDER], [NEWER, OLDER], [NEXT, NEWER]];
    const expected = [
      ['ok', 'invalid_signature/unknown_key', 'invalid_signature/unknown_key'],
      ['ok', 'ok', 'invalid_signature/unknown_key'],
      ['invalid_signature/unknown_key', 'ok', 'ok'],
    ];
    for (const [i, ring] of rings.entries()) {
      const one = await startGuarded({ 'security-hmac-secret': JSON.stringify(ring) }, { dataDir });
      const caller = await rawConnect(one.url, bearer(tokenFor(one.did)));
      const verdicts: string[] = [];
      for (const key of [OLDER, NEWER, NEXT]) {
        const message = signed({ a: 1 }, 'alerts', 'disk.full', key);
        verdicts.push(
          verdict(await caller.call('publish', { channel: 'alerts', topic: 'disk.full', message })),
        );
      }
      expect(verdicts).toEqual(expected[i]);
      await one.close();
    }
    rmSync(dataDir, { recursive: true });
  });

  test('a message that is refused uses up no nonce', async () => {
    const message = sample();
    expect(await publish(message, 'elsewhere')).toBe('invalid_signature/mismatch');
    expect(await publish({ ...message, host: 'db-2' })).toBe('invalid_signature/mismatch');
    const noToken = await rawConnect(gateway.url);
    const refused = await noToken.call('publish', { channel: 'alerts', topic: 'disk.full', message });
    expect(verdict(refused)).toBe('unauthorized/capability_required');
    expect(await publish(message)).toBe('ok');
    await noToken.close();
    expect(await delivered()).toEqual([message]);
  });
});
