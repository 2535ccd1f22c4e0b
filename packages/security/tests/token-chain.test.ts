import { countCalls, createFakeClock } from '@esdb-gater/primitives/testing';
import {
  createToken,
  createTokenVerifier,
  decodeToken,
  delegateToken,
  type Grant,
  isTokenRevoked,
  tokenId,
  type VerifyTokenOptions,
  verifyToken,
} from '@esdb-gater/security';
import { describe, expect, onTestFinished, test } from 'vitest';
import { currentEngine, replaceEngine } from '../src/engine/select.ts';
import { alice, bob, claimsOf, encode, forge, gateway, mallory, NOW, reasonOf, root } from './forge.ts';

const trust = { trustedIssuers: [root.did], audience: gateway.did, now: NOW };
const users: Grant = { with: 'esdb://default/stream/default/users-*', can: 'stream/read' };
const all: Grant = { with: '*', can: '*' };

const verdict = (token: string, options: Partial<VerifyTokenOptions> = {}): string | undefined =>
  reasonOf(() => verifyToken(token, { ...trust, ...options }));

const fromRoot = (att: readonly Grant[] = [users], lifetimeSeconds = 900): string =>
  createToken({ issuer: root, audience: alice.did, att, lifetimeSeconds, now: NOW });

const byAlice = (
  parent: string | readonly string[],
  att: readonly Grant[] = [users],
  lifetimeSeconds = 900,
): string => {
  // `delegateToken` refuses grants that no parent covers, but attackers need not use it.
  const claims = {
    iss: alice.did,
    att,
    exp: NOW + lifetimeSeconds,
    prf: [parent].flat(),
    nnc: encode(crypto.randomUUID()),
  };
  return forge(claimsOf(claims), { by: alice });
};

describe('a token of a trusted root', () => {
  test('contains issuer, audience, expiry and grants', () => {
    const token = createToken({
      issuer: root,
      audience: gateway.did,
      att: [users],
      fct: { name: 'ci' },
      now: NOW,
    });
    const verified = verifyToken(token, trust);
    expect(verified).toEqual({
      id: tokenId(token),
      issuer: root.did,
      audience: gateway.did,
      expiresAt: NOW + 900,
      att: [users],
      fct: { name: 'ci' },
      chain: [{ id: tokenId(token), issuer: root.did, issuers: [root.did] }],
    });
    expect(
      Object.isFrozen(verified) && Object.isFrozen(verified.att[0]) && Object.isFrozen(verified.fct),
    ).toBe(true);
  });

  test('differs from the next one, by its nonce', () => {
    expect(fromRoot()).not.toBe(fromRoot());
  });

  test('allows only what a grant covers', () => {
    const token = forge();
    const wanted = (resource: string, action: string): string | undefined =>
      verdict(token, { resource, action });
    expect(wanted('esdb://default/stream/default/users-1', 'stream/read')).toBeUndefined();
    expect(wanted('esdb://default/stream/default/users-1', 'stream/append')).toBe('insufficient_permissions');
    expect(wanted('esdb://default/stream/default/orders-1', 'stream/read')).toBe('insufficient_permissions');
    expect(wanted('esdb://default/stream/default/*', 'stream/read')).toBe('insufficient_permissions');
    expect(wanted('esdb://default/stream/default/users-/../x', 'stream/read')).toBe('invalid_resource');
    expect(wanted('esdb://default/stream/default/users-1', 'read')).toBe('invalid_action');
  });

  test('takes a resource and an action together only', () => {
    expect(verdict(forge(), { action: 'stream/read' })).toBe('invalid_argument/type');
    expect(verdict(forge(), { resource: '*' })).toBe('invalid_argument/type');
  });
});

test('the lists of audiences and of trusted issuers must be texts', () => {
  for (const wrong of [undefined, null, 1, {}, [1], [gateway.did, null]]) {
    expect(verdict(forge(), { audience: wrong as never })).toBe('invalid_argument/type');
    expect(verdict(forge(), { trustedIssuers: wrong as never })).toBe('invalid_argument/type');
  }
});

describe('who issues', () => {
  test('never again: anybody issuing himself `*` on `*` (T1)', () => {
    const own = createToken({ issuer: mallory, audience: gateway.did, att: [all], now: NOW });
    expect(verdict(own)).toBe('untrusted_root');
    expect(verdict(own, { resource: 'esdb://default/stream/default/a', action: 'stream/append' })).toBe(
      'untrusted_root',
    );
    expect(verdict(own, { trustedIssuers: [] })).toBe('untrusted_root');
  });

  test('a chain from an unknown root is refused (T1), even with a trusted issuer in its middle', () => {
    const parent = createToken({ issuer: mallory, audience: alice.did, att: [all], now: NOW });
    expect(verdict(byAlice(parent))).toBe('untrusted_root');
    expect(verdict(byAlice(parent), { trustedIssuers: [root.did, alice.did] })).toBe('untrusted_root');
    expect(verdict(byAlice(parent), { trustedIssuers: [mallory.did] })).toBeUndefined();
  });

  test('of several parents every root must be trusted', () => {
    const other = createToken({ issuer: mallory, audience: alice.did, att: [users], now: NOW });
    expect(verdict(byAlice([fromRoot(), other]))).toBe('untrusted_root');
    expect(
      verdict(byAlice([fromRoot(), other]), { trustedIssuers: [root.did, mallory.did] }),
    ).toBeUndefined();
  });

  test('is asked every time, also of a token that was good before', () => {
    const token = byAlice(fromRoot());
    expect(verdict(token)).toBeUndefined();
    expect(verdict(token, { trustedIssuers: [mallory.did] })).toBe('untrusted_root');
    expect(verdict(token, { audience: bob.did })).toBe('wrong_audience');
    expect(verdict(token, { trustedIssuers: root.did, audience: [bob.did, gateway.did] })).toBeUndefined();
  });
});

describe('a delegated token', () => {
  test('is valid when each of its grants is covered by a grant of one parent', () => {
    const one = { with: 'esdb://default/stream/default/users-1', can: 'stream/read' };
    const topic = { with: 'esdb://default/channel/events/users.*', can: 'channel/*' };
    expect(verdict(byAlice(fromRoot([users]), [one]))).toBeUndefined();
    expect(verdict(byAlice([fromRoot([users]), fromRoot([topic])], [one, topic]))).toBeUndefined();
    expect(verdict(byAlice(fromRoot([all]), [one, topic]))).toBeUndefined();
    expect(verdict(byAlice(fromRoot([users]), [one, topic]))).toBe('invalid_delegation');
  });

  test('is refused when one of its grants is not covered by a single grant of a parent', () => {
    const append = { with: users.with, can: 'stream/append' };
    const elsewhere = { with: 'esdb://default/stream/default/orders-*', can: 'stream/read' };
    const both = { with: 'esdb://default/stream/default/*', can: 'stream/read' };
    for (const att of [[append], [elsewhere], [both], [all], [{ with: users.with, can: '*' }]]) {
      expect(verdict(byAlice(fromRoot([users, elsewhere].slice(0, att[0] === elsewhere ? 1 : 2)), att))).toBe(
        'invalid_delegation',
      );
    }
  });

  test('never again: proof chains and audiences never checked (T4: the audience mismatch)', () => {
    const forBob = createToken({ issuer: root, audience: bob.did, att: [all], now: NOW });
    expect(verdict(byAlice(forBob))).toBe('invalid_delegation');
    expect(verdict(byAlice([fromRoot(), forBob]))).toBe('invalid_delegation');
    expect(verdict(byAlice(fromRoot()), { audience: alice.did })).toBe('wrong_audience');
    expect(verdict(byAlice(fromRoot()), { audience: [] })).toBe('wrong_audience');
  });

  test('expires with its parent, even if its own expiry is later (T4)', () => {
    const child = byAlice(fromRoot([users], 100), [users], 900);
    expect(verifyToken(child, trust).expiresAt).toBe(NOW + 100);
    expect(verdict(child, { now: NOW + 99 })).toBeUndefined();
    expect(verdict(child, { now: NOW + 100 })).toBe('expired');
  });

  test('begins with its parent', () => {
    const parent = createToken({
      issuer: root,
      audience: alice.did,
      att: [users],
      notBefore: NOW + 200,
      lifetimeSeconds: 1_000,
      now: NOW,
    });
    expect(verdict(byAlice(parent))).toBe('not_yet_valid');
    expect(verdict(byAlice(parent), { now: NOW + 139 })).toBe('not_yet_valid');
    expect(verdict(byAlice(parent), { now: NOW + 140 })).toBeUndefined();
    expect(verifyToken(byAlice(parent), { ...trust, now: NOW + 200 }).notBefore).toBe(NOW + 200);
  });

  test('is refused when a parent is forged, cut or no token', () => {
    const parent = fromRoot();
    const [header, claims, signature = ''] = parent.split('.');
    const elsewhere = `${header}.${claims}.${fromRoot().split('.')[2]}`;
    expect(verdict(byAlice(elsewhere))).toBe('invalid_signature');
    expect(verdict(forge(claimsOf({ iss: alice.did, prf: ['x'] }), { by: alice }))).toBe('parse_error');
    expect(
      verdict(
        forge(claimsOf({ iss: alice.did, prf: [`${header}.${claims}.${signature.slice(2)}`] }), {
          by: alice,
        }),
      ),
    ).toBe('invalid_signature');
    const [h, c] = parent.split('.');
    expect(verdict(forge(claimsOf({ iss: alice.did, prf: [`${h}.${c}`] }), { by: alice }))).toBe(
      'parse_error',
    );
  });

  test('may have eight levels, but not nine (T4)', () => {
    // Times of few digits: nine levels fit into 16 KiB only so.
    const short = { aud: root.did, iat: 0, exp: 60, att: [all] };
    const at = { ...trust, audience: root.did, now: 30 };
    let token = forge(claimsOf(short));
    for (let level = 2; level <= 8; level++) token = forge(claimsOf({ ...short, prf: [token] }));
    expect(verifyToken(token, at).chain).toHaveLength(8);
    token = forge(claimsOf({ ...short, prf: [token] }));
    expect(token.length).toBeLessThan(16_384);
    expect(reasonOf(() => verifyToken(token, at))).toBe('too_large');
  });

  test('is too large over 16 KiB, however it came to that (T4: a thousand links, a giant token)', () => {
    let token = forge();
    while (token.length <= 16_384) token = forge(claimsOf({ prf: [token] }));
    expect(verdict(token)).toBe('too_large');
    for (let link = 0; link < 1_000 && token.length < 10_000_000; link++)
      token = forge(claimsOf({ prf: [token] }));
    expect(verdict(token)).toBe('too_large');
    expect(verdict(forge(claimsOf({ fct: { text: 'x'.repeat(13_000) } })))).toBe('too_large');
    const giant = { issuer: root, audience: gateway.did, att: [all], fct: { text: 'x'.repeat(13_000) } };
    expect(reasonOf(() => createToken(giant))).toBe('too_large');
  });

  test('cannot be its own proof: a cycle would need a hash of itself (T4)', () => {
    const token = forge(claimsOf({ prf: [forge()] }));
    expect(verdict(token)).toBe('invalid_delegation');
    const itself = forge(claimsOf({ aud: root.did }));
    expect(verdict(forge(claimsOf({ prf: [itself] })))).toBeUndefined();
  });
});

describe('time', () => {
  const token = forge();

  test('allows 60 s of skew for the beginning and none for the end', () => {
    expect(verdict(token, { now: NOW - 60 })).toBeUndefined();
    expect(verdict(token, { now: NOW - 61 })).toBe('not_yet_valid');
    expect(verdict(token, { now: NOW + 899 })).toBeUndefined();
    expect(verdict(token, { now: NOW + 900 })).toBe('expired');
    expect(verdict(token, { now: (NOW + 899.9) * 1000 })).toBeUndefined();
    expect(verdict(token, { now: new Date((NOW + 900) * 1000) })).toBe('expired');
  });

  test('is asked every time, also of a token that was good before', () => {
    expect(verdict(token)).toBeUndefined();
    expect(verdict(token, { now: NOW + 900 })).toBe('expired');
    expect(verdict(token)).toBeUndefined();
  });
});

describe('revocation', () => {
  const parent = fromRoot();
  const child = byAlice(parent);

  test('never again: revocation that is a stub (the token, any ancestor, any issuer)', () => {
    for (const revoked of [tokenId(child), tokenId(parent), alice.did, root.did]) {
      expect(verdict(child, { isRevoked: (id) => id === revoked })).toBe('revoked');
    }
    expect(verdict(child, { isRevoked: () => false })).toBeUndefined();
    expect(verdict(child, { isRevoked: (id) => id === gateway.did })).toBeUndefined();
  });

  test('is asked every time, also of a token that was good before', () => {
    const revoked = new Set<string>();
    const isRevoked = (id: string): boolean => revoked.has(id);
    expect(verdict(child, { isRevoked })).toBeUndefined();
    revoked.add(tokenId(parent));
    expect(verdict(child, { isRevoked })).toBe('revoked');
    expect(isTokenRevoked(verifyToken(child, trust), isRevoked)).toBe(true);
  });

  test('of one of several parents, or of its issuer, ends a token that was good before', () => {
    const other = createToken({ issuer: root, audience: alice.did, att: [users], now: NOW });
    const both = byAlice([parent, other]);
    const verified = verifyToken(both, trust);
    expect(verified.chain.map(({ id }) => id)).toEqual([tokenId(both), tokenId(parent), tokenId(other)]);
    for (const revoked of [tokenId(both), tokenId(other), alice.did, root.did]) {
      expect(isTokenRevoked(verified, (id) => id === revoked)).toBe(true);
    }
    expect(isTokenRevoked(verified, () => false)).toBe(false);
  });

  test('lists who may revoke it: the issuers of the token and of its ancestors', () => {
    const asked: unknown[] = [];
    const fresh = byAlice(parent);
    for (let time = 0; time < 2; time++) {
      asked.length = 0;
      verifyToken(fresh, { ...trust, isRevoked: (...question) => asked.push(question) < 0 });
      expect(asked).toEqual([
        [tokenId(fresh), 'cid', [alice.did, root.did]],
        [alice.did, 'iss', [alice.did]],
        [tokenId(parent), 'cid', [root.did]],
        [root.did, 'iss', [root.did]],
      ]);
    }
  });
});

describe('of several faults', () => {
  test('the first one in the documented order is given', () => {
    const isRevoked = (): boolean => true;
    const faulty = (
      change: Record<string, unknown>,
      options: { header?: unknown; by?: typeof root } = {},
    ): string =>
      forge(claimsOf({ aud: bob.did, iss: mallory.did, exp: NOW - 1, iat: NOW - 500, ...change }), {
        by: mallory,
        ...options,
      });
    const wanted = { resource: 'esdb://default/stream/x/y', action: 'stream/read', isRevoked };
    expect(verdict(faulty({ nnc: 'x' }, { header: {} }), wanted)).toBe('parse_error');
    expect(verdict(faulty({}, { by: root }), wanted)).toBe('invalid_signature');
    expect(verdict(faulty({}), wanted)).toBe('expired');
    expect(verdict(faulty({ exp: NOW + 100 }), wanted)).toBe('revoked');
    const { isRevoked: _, ...unrevoked } = wanted;
    expect(verdict(faulty({ exp: NOW + 100, prf: ['x'] }), unrevoked)).toBe('parse_error');
    expect(verdict(faulty({ exp: NOW + 100, prf: [fromRoot()] }), unrevoked)).toBe('invalid_delegation');
    expect(verdict(faulty({ exp: NOW + 100 }), unrevoked)).toBe('untrusted_root');
    expect(verdict(forge(claimsOf({ aud: bob.did })), unrevoked)).toBe('wrong_audience');
    expect(verdict(forge(claimsOf()), unrevoked)).toBe('insufficient_permissions');
  });

  test('an error never quotes the token (T9)', () => {
    for (const token of [
      forge(claimsOf({ aud: bob.did })),
      forge(claimsOf(), { by: bob }),
      'secret.secret.secret',
    ]) {
      try {
        verifyToken(token, trust);
        expect.unreachable();
      } catch (error) {
        expect(JSON.stringify(error) + String(error)).not.toContain(token.slice(-20));
      }
    }
  });
});

describe('creating', () => {
  const options = { issuer: root, audience: gateway.did, att: [users], now: NOW };

  test('refuses arguments of the wrong kind', () => {
    for (const change of [
      { issuer: {} },
      { audience: 'x' },
      { audience: undefined },
      { fct: [] },
      { now: 'x' },
    ]) {
      expect(reasonOf(() => createToken({ ...options, ...change } as typeof options))).toMatch(
        /^invalid_argument/,
      );
    }
    expect(reasonOf(() => createToken({ ...options, notBefore: NOW + 900 }))).toBe('invalid_argument/range');
    for (const parent of ['x', [], [1], 7])
      expect(reasonOf(() => delegateToken(parent as string, options))).toBeDefined();
  });

  test('refuses to delegate more than a parent allows, an action not covered, or a parent of somebody else [R34]', () => {
    const parent = createToken({ issuer: root, audience: alice.did, att: [users], now: NOW });
    const channel = { with: 'esdb://default/channel/events/*', can: 'channel/*' };
    const other = createToken({ issuer: root, audience: alice.did, att: [channel], now: NOW });
    const delegate = (
      att: readonly Grant[],
      parents: string | readonly string[] = parent,
      issuer = alice,
    ): string | undefined =>
      reasonOf(() => delegateToken(parents, { issuer, audience: gateway.did, att, now: NOW }));
    const one = { with: 'esdb://default/stream/default/users-1', can: 'stream/read' };
    expect([delegate([users]), delegate([one])]).toEqual([undefined, undefined]);
    expect(
      delegate([one, { with: 'esdb://default/channel/events/a', can: 'channel/publish' }], [parent, other]),
    ).toBe(undefined);
    for (const wrong of [
      all,
      { ...users, can: 'stream/append' },
      { ...users, can: 'stream/*' },
      { ...users, can: '*' },
      { ...users, with: 'esdb://default/stream/default/users*' },
      { ...users, with: 'esdb://default/stream/default/*' },
      { ...users, with: 'esdb://other/stream/default/users-*' },
      channel,
    ]) {
      expect(delegate([wrong]), JSON.stringify(wrong)).toBe('invalid_delegation');
      expect(delegate([one, wrong]), JSON.stringify(wrong)).toBe('invalid_delegation');
    }
    for (const issuer of [root, bob, mallory])
      expect(delegate([one], parent, issuer)).toBe('invalid_delegation');
    const forBob = createToken({ issuer: root, audience: bob.did, att: [all], now: NOW });
    expect(delegate([one], [parent, forBob])).toBe('invalid_delegation');
    expect(delegate([one], parent.slice(0, -1))).toBe('parse_error');
  });

  test('makes a token of the given times, with the facts and from its beginning on', () => {
    const token = createToken({ ...options, lifetimeSeconds: 60, notBefore: NOW + 59, fct: { a: 1 } });
    expect(decodeToken(token).claims).toMatchObject({
      iat: NOW,
      nbf: NOW + 59,
      exp: NOW + 60,
      fct: { a: 1 },
    });
    expect(decodeToken(createToken({ ...options, now: NOW + 0.9 })).claims).toMatchObject({ iat: NOW });
    expect(decodeToken(createToken(options)).claims).not.toHaveProperty('nbf');
    expect(reasonOf(() => createToken({ ...options, lifetimeSeconds: 60, notBefore: NOW + 60 }))).toBe(
      'invalid_argument/range',
    );
  });

  test('delegates from up to four parents', () => {
    const parent = (): string => createToken({ ...options, audience: alice.did });
    const by = (count: number): string | undefined =>
      reasonOf(() => delegateToken(Array.from({ length: count }, parent), { ...options, issuer: alice }));
    expect([by(0), by(1), by(4), by(5)]).toEqual([
      'invalid_argument/type',
      undefined,
      undefined,
      'invalid_argument/type',
    ]);
  });

  test('fails with the reason of verification for invalid grants', () => {
    const att = (grant: unknown): string | undefined =>
      reasonOf(() => createToken({ ...options, att: [grant as Grant] }));
    expect(att({ with: 'esdb://default/stream/default/ü', can: '*' })).toBe('invalid_resource');
    expect(att({ with: '*', can: 'everything' })).toBe('invalid_action');
    expect(att({ with: '*' })).toBe('parse_error');
    expect(reasonOf(() => createToken({ ...options, att: [] }))).toBe('parse_error');
  });
});

describe('createTokenVerifier', () => {
  test('accepts its audiences and the DID that a connection has proved', () => {
    const clock = createFakeClock(NOW * 1000);
    const verifier = createTokenVerifier({ clock }, { trustedIssuers: [root.did], audiences: [gateway.did] });
    expect(verifier.verify(forge()).audience).toBe(gateway.did);
    expect(reasonOf(() => verifier.verify(fromRoot()))).toBe('wrong_audience');
    expect(verifier.verify(fromRoot(), alice.did).audience).toBe(alice.did);
    const revoking = createTokenVerifier(
      { clock, isRevoked: () => true },
      { trustedIssuers: [root.did], audiences: [gateway.did] },
    );
    expect(reasonOf(() => revoking.verify(forge()))).toBe('revoked');
  });
});

describe('a second verification', () => {
  test('does not call the engine', () => {
    const tokens = Array.from({ length: 40 }, () => byAlice(fromRoot()));
    const engine = currentEngine();
    const counted = { ...engine };
    replaceEngine(counted);
    onTestFinished(() => replaceEngine(engine));
    const calls = (): number =>
      countCalls(counted, ['verifyJwt', 'ed25519Verify', 'sha256', 'base58Decode'], () => {
        for (const token of tokens) verifyToken(token, trust);
      });
    expect(calls()).toBeGreaterThanOrEqual(2 * tokens.length);
    expect(calls()).toBe(0);
  });
});
