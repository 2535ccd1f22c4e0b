import { createFakeClock } from '@esdb-gater/primitives/testing';
import {
  createProof,
  createRevocation,
  createRevocationList,
  createToken,
  delegateToken,
  type IsRevoked,
  type Revocation,
  sign,
  tokenId,
  verifyProof,
  verifyRevocation,
  verifyToken,
} from '@esdb-gater/security';
import { describe, expect, test } from 'vitest';
import { alice, bob, gateway, mallory, NOW, reasonOf, root } from './forge.ts';

const att = [{ with: '*', can: '*' }];
const parent = createToken({ issuer: root, audience: alice.did, att, now: NOW });
const child = delegateToken(parent, { issuer: alice, audience: gateway.did, att, now: NOW });

const verdict = (isRevoked: IsRevoked): string | undefined =>
  reasonOf(() =>
    verifyToken(child, { trustedIssuers: [root.did], audience: gateway.did, isRevoked, now: NOW }),
  );

const listOf = (...revocations: unknown[]): ReturnType<typeof createRevocationList> => {
  const list = createRevocationList({}, { trustedIssuers: [root.did] });
  for (const revocation of revocations) list.add(revocation);
  return list;
};

describe('verifyRevocation', () => {
  const revocation = createRevocation(alice, { cid: tokenId(child), reason: 'lost', at: NOW });

  test('contains the subject, the revoker and the topic', () => {
    expect(revocation).toMatchObject({ cid: tokenId(child), by: alice.did, at: NOW, reason: 'lost' });
    expect(verifyRevocation(revocation)).toMatchObject({
      topic: 'token.revoked',
      kind: 'cid',
      subject: tokenId(child),
      by: alice.did,
    });
    expect(verifyRevocation(createRevocation(root, { iss: bob.did }))).toMatchObject({
      topic: 'issuer.revoked',
      kind: 'iss',
      subject: bob.did,
    });
  });

  test('signs the documented bytes', () => {
    const { proof, ...rest } = createRevocation(alice, { cid: tokenId(child), at: NOW });
    const jcs = `{"at":${NOW},"by":"${alice.did}","cid":"${tokenId(child)}"}`;
    expect(Object.keys(rest).sort()).toEqual(['at', 'by', 'cid']);
    expect(proof).toBe(
      Buffer.from(alice.sign(Buffer.from(`esdb-gater-revoke/1\ntoken.revoked\n${jcs}`))).toString(
        'base64url',
      ),
    );
  });

  test('leaves the members of a message signature aside', () => {
    const message = sign(revocation, { secret: 's', channel: 'security', topic: 'token.revoked' });
    expect(verifyRevocation(message).revocation).toEqual(revocation);
  });

  test('refuses a change of any member', () => {
    for (const change of [{ by: mallory.did }, { at: NOW + 1 }, { reason: 'x' }, { cid: tokenId('x') }]) {
      expect(reasonOf(() => verifyRevocation({ ...revocation, ...change }))).toBe('invalid_signature');
    }
    const { cid, ...rest } = revocation;
    expect(reasonOf(() => verifyRevocation({ ...rest, iss: alice.did }))).toBe('invalid_signature');
    const { reason, ...reasonless } = revocation;
    expect(reasonOf(() => verifyRevocation(reasonless))).toBe('invalid_signature');
  });

  test('takes a reason of up to 1 024 characters, and a time as RFC 3339', () => {
    const long = createRevocation(alice, { cid: tokenId(child), reason: 'x'.repeat(1_024), at: 0 });
    expect(verifyRevocation(long).revocation).toEqual(long);
    for (const reason of ['x'.repeat(1_025), '\ud800']) {
      expect(reasonOf(() => createRevocation(alice, { cid: tokenId(child), reason }))).toBe(
        'invalid_argument/revocation',
      );
      expect(reasonOf(() => verifyRevocation({ ...long, reason }))).toBe('invalid_argument/revocation');
    }
    const unsigned = { at: '2026-01-31T12:00:00Z', by: alice.did, cid: tokenId(child) };
    const bytes = Buffer.from(`esdb-gater-revoke/1\ntoken.revoked\n${JSON.stringify(unsigned)}`);
    const proof = Buffer.from(alice.sign(bytes)).toString('base64url');
    expect(verifyRevocation({ ...unsigned, proof })).toMatchObject({ subject: tokenId(child) });
    const stamped = createRevocation(alice, { cid: tokenId(child) });
    expect(Math.abs(Number(stamped.at) - Date.now() / 1_000)).toBeLessThan(60);
    expect(Object.isFrozen(stamped)).toBe(true);
  });

  test('refuses another shape', () => {
    const { by, proof, cid, ...rest } = revocation;
    for (const wrong of [
      null,
      [],
      'x',
      {},
      { ...rest, cid, proof },
      { ...rest, by, proof },
      { ...rest, by, cid },
      { ...revocation, iss: alice.did },
      { ...revocation, cid: 'x' },
      { ...rest, by, proof, iss: 'did:web:x' },
      { ...revocation, at: 'soon' },
      { ...revocation, at: '2026-02-30T00:00:00Z' },
      { ...revocation, at: -1 },
      { ...revocation, proof: 1 },
      { ...revocation, proof: `${revocation.proof}=` },
      { ...revocation, extra: 1 },
      { ...revocation, reason: 1 },
    ]) {
      expect(reasonOf(() => verifyRevocation(wrong))).toBe('invalid_argument/revocation');
    }
    for (const options of [{}, { cid: 'x' }, { iss: 'x' }, { cid: tokenId('x'), iss: alice.did }]) {
      expect(reasonOf(() => createRevocation(root, options as { cid: string }))).toBe(
        'invalid_argument/revocation',
      );
    }
  });
});

describe('createRevocationList', () => {
  test('takes a token back by its issuer, an issuer of its ancestors, or a trusted root', () => {
    for (const by of [alice, root]) {
      expect(verdict(listOf(createRevocation(by, { cid: tokenId(child) })).isRevoked)).toBe('revoked');
    }
    expect(verdict(listOf(createRevocation(root, { cid: tokenId(parent) })).isRevoked)).toBe('revoked');
    expect(verdict(listOf().isRevoked)).toBeUndefined();
  });

  test('takes an issuer back by himself or by a trusted root', () => {
    for (const by of [alice, root]) {
      expect(verdict(listOf(createRevocation(by, { iss: alice.did })).isRevoked)).toBe('revoked');
    }
  });

  test('has no effect from anyone else', () => {
    const list = listOf(
      createRevocation(mallory, { cid: tokenId(child) }),
      createRevocation(bob, { cid: tokenId(parent) }),
      // The holder of a token is not an issuer of its ancestors.
      createRevocation(alice, { cid: tokenId(parent) }),
    );
    expect(verdict(list.isRevoked)).toBeUndefined();
    expect(list.add(createRevocation(mallory, { iss: alice.did }))).toBeUndefined();
    expect(list.add(createRevocation(alice, { iss: root.did }))).toBeUndefined();
    expect(verdict(list.isRevoked)).toBeUndefined();
    list.add(createRevocation(alice, { cid: tokenId(child) }));
    expect(verdict(list.isRevoked)).toBe('revoked');
  });

  test('returns whether a revocation is new', () => {
    const list = listOf();
    const revocation = createRevocation(root, { cid: tokenId(child) });
    expect(list.add(revocation)).toMatchObject({ subject: tokenId(child) });
    expect(list.add(revocation)).toBeUndefined();
    expect(reasonOf(() => list.add({ ...revocation, at: 1 }))).toBe('invalid_signature');
    expect(list.size).toBe(1);
  });

  test('outlives a restart, proofs checked again (T6)', () => {
    const written = JSON.stringify(listOf(createRevocation(alice, { cid: tokenId(child) })));
    const options = { trustedIssuers: [root.did] };
    expect(verdict(createRevocationList({}, options, JSON.parse(written)).isRevoked)).toBe('revoked');
    const forged = JSON.parse(written.replace(alice.did, mallory.did));
    expect(reasonOf(() => createRevocationList({}, options, forged))).toBe('invalid_signature');
    for (const wrong of [[{}], [null], [{ revocation: {}, addedAt: 'x' }]]) {
      expect(reasonOf(() => createRevocationList({}, options, wrong))).toBe('invalid_argument/revocation');
    }
  });

  test('removes revocations of expired tokens, and never those of issuers', () => {
    const clock = createFakeClock(0);
    const list = createRevocationList({ clock }, { trustedIssuers: [root.did] });
    list.add(createRevocation(root, { iss: alice.did }));
    list.add(createRevocation(bob, { cid: tokenId('x') }));
    clock.setNow(86_400_000);
    expect(list.toJSON()).toHaveLength(2);
    clock.setNow(91_000_000);
    expect(list.toJSON().map(({ revocation }) => revocation['iss'])).toEqual([alice.did]);
    expect(list.isRevoked(tokenId('x'), 'cid', [bob.did])).toBe(false);
    expect(list.isRevoked(alice.did, 'iss', [alice.did])).toBe(true);
  });

  test('keeps the revocation of a token for a day and an hour, and drops it then', () => {
    const clock = createFakeClock(0);
    const list = createRevocationList({ clock }, { trustedIssuers: [root.did] });
    list.add(createRevocation(bob, { cid: tokenId('x') }));
    clock.setNow(60_000);
    list.add(createRevocation(root, { cid: tokenId('x') }));
    const kept = (ms: number): unknown[] => {
      clock.setNow(ms);
      const count = list.toJSON().length;
      return [count, list.size, list.isRevoked(tokenId('x'), 'cid', [bob.did])];
    };
    expect(kept(89_999_999)).toEqual([2, 2, true]);
    expect(list.find(bob.did, tokenId('x'))).toMatchObject({ by: bob.did, subject: tokenId('x') });
    // The other revocation of the same token stays.
    expect(kept(90_000_000)).toEqual([1, 1, true]);
    expect(list.find(bob.did, tokenId('x'))).toBeUndefined();
    expect(kept(90_060_000)).toEqual([0, 0, false]);
  });

  test.each([
    ['all unknown issuers together', { maxEntries: 2 }],
    ['an issuer', { maxPerIssuer: 2 }],
    ['a sender', { maxPerSender: 2 }],
  ])('expired revocations free the places of %s', (_, limits) => {
    const clock = createFakeClock(0);
    const list = createRevocationList({ clock }, { trustedIssuers: [root.did], ...limits });
    for (let round = 0; round < 3; round++) {
      clock.setNow(round * 90_000_000);
      for (const n of [1, 2]) {
        expect(list.add(createRevocation(mallory, { cid: tokenId(`${round} ${n}`) }), 'there')).toBeDefined();
      }
      expect(() => list.add(createRevocation(mallory, { cid: tokenId('more') }), 'there')).toThrow(
        expect.objectContaining({ code: 'overloaded' }),
      );
      expect(list.size).toBe(2);
    }
  });

  test("roots' revocations take nobody's place, however many there are", () => {
    const limits = { maxEntries: 1, maxPerIssuer: 1, maxPerSender: 1 };
    const list = createRevocationList({}, { trustedIssuers: [root.did], ...limits });
    const byRoot = (n: number): unknown =>
      list.add(createRevocation(root, { cid: tokenId(`${n}`) }), 'there');
    for (let n = 0; n < 3; n++) expect(byRoot(n)).toBeDefined();
    expect(list.add(createRevocation(mallory, { cid: tokenId('x') }), 'there')).toBeDefined();
    expect(() => list.add(createRevocation(bob, { cid: tokenId('x') }), 'there')).toThrow(
      expect.objectContaining({ code: 'overloaded' }),
    );
    for (let n = 3; n < 6; n++) expect(byRoot(n)).toBeDefined();
    expect(list.add(createRevocation(root, { iss: bob.did }), 'there')).toBeDefined();
  });

  test('a known issuer is limited by itself only, and leaves the places of strangers', () => {
    const list = createRevocationList(
      {},
      {
        trustedIssuers: [root.did],
        isKnownIssuer: (did) => did === alice.did,
        maxEntries: 1,
        maxPerIssuer: 2,
        maxPerSender: 1,
      },
    );
    const add = (by: typeof alice, name: string): unknown =>
      list.add(createRevocation(by, { cid: tokenId(name) }), 'there');
    for (const name of ['1', '2']) expect(add(alice, name)).toBeDefined();
    expect(() => add(alice, '3')).toThrow(expect.objectContaining({ code: 'overloaded' }));
    // An issuer revokes itself once: that is not limited by its revocations of tokens.
    expect(list.add(createRevocation(alice, { iss: alice.did }), 'there')).toBeDefined();
    expect(add(bob, '1')).toBeDefined();
    expect(() => add(mallory, '1')).toThrow(expect.objectContaining({ code: 'overloaded' }));
  });

  test('strangers who revoke themselves are bounded, apart from their revocations of tokens, and by sender', () => {
    const clock = createFakeClock(0);
    const list = createRevocationList(
      { clock },
      { trustedIssuers: [root.did], maxEntries: 2, maxPerSender: 3 },
    );
    const ofItself = (by: typeof alice, sender: string): unknown =>
      list.add(createRevocation(by, { iss: by.did }), sender);
    for (const by of [bob, mallory]) expect(ofItself(by, 'there')).toBeDefined();
    expect(() => ofItself(gateway, 'elsewhere')).toThrow(expect.objectContaining({ code: 'overloaded' }));
    expect(list.add(createRevocation(bob, { cid: tokenId('x') }), 'there')).toBeDefined();
    // One place is left for tokens, but not for this sender.
    expect(() => list.add(createRevocation(bob, { cid: tokenId('y') }), 'there')).toThrow(
      expect.objectContaining({ code: 'overloaded' }),
    );
    expect(list.add(createRevocation(bob, { cid: tokenId('y') }), 'elsewhere')).toBeDefined();
    // Those of issuers never end, so neither do their places.
    clock.setNow(1_000_000_000);
    expect(() => ofItself(gateway, 'elsewhere')).toThrow(expect.objectContaining({ code: 'overloaded' }));
    expect(list.add(createRevocation(bob, { cid: tokenId('z') }), 'there')).toBeDefined();
  });

  test('takes stored entries beyond its limits, in which they count', () => {
    const clock = createFakeClock(0);
    const options = { trustedIssuers: [root.did] };
    const first = createRevocationList({ clock }, options);
    for (let n = 0; n < 3; n++) {
      clock.setNow(n * 1_000);
      first.add(createRevocation(mallory, { cid: tokenId(`${n}`) }));
      if (n === 1) first.add(createRevocation(root, { iss: bob.did }));
    }
    const stored = first.toJSON();
    expect(stored.map(({ addedAt }) => addedAt)).toEqual([0, 1_000, 1_000, 2_000]);
    const list = createRevocationList({ clock }, { ...options, maxEntries: 3, maxPerIssuer: 1 }, stored);
    expect(list.toJSON()).toEqual(stored);
    expect(list.isRevoked(tokenId('2'), 'cid', [mallory.did])).toBe(true);
    expect(() => list.add(createRevocation(gateway, { cid: tokenId('x') }))).toThrow(
      expect.objectContaining({ code: 'overloaded' }),
    );
    // They end when they would have ended before the restart.
    clock.setNow(90_000_000);
    expect(list.add(createRevocation(gateway, { cid: tokenId('x') }))).toBeDefined();
    expect(list.size).toBe(4);
  });

  test('is bounded for strangers, and never for a root', () => {
    const list = createRevocationList({}, { trustedIssuers: [root.did], maxEntries: 2 });
    const byStranger = (i: number): Revocation => createRevocation(mallory, { cid: tokenId(`${i}`) });
    list.add(byStranger(1));
    list.add(byStranger(2));
    expect(() => list.add(byStranger(3))).toThrow(expect.objectContaining({ code: 'overloaded' }));
    expect(list.add(createRevocation(root, { cid: tokenId('3') }))).toBeDefined();
    expect(list.size).toBe(3);
  });
});

describe('the proof of a presenter (T5)', () => {
  const proof = createProof(alice, gateway.did, 'nonce-1');

  test('is the signature of the documented bytes', () => {
    const bytes = Buffer.from(`esdb-gater-auth\0${gateway.did}\0nonce-1`);
    expect(proof).toBe(Buffer.from(alice.sign(bytes)).toString('base64url'));
    expect(verifyProof(alice.did, gateway.did, 'nonce-1', proof)).toBe(true);
  });

  test('is not valid for another holder, gateway or connection', () => {
    expect(verifyProof(mallory.did, gateway.did, 'nonce-1', proof)).toBe(false);
    expect(verifyProof(alice.did, bob.did, 'nonce-1', proof)).toBe(false);
    expect(verifyProof(alice.did, gateway.did, 'nonce-2', proof)).toBe(false);
    expect(verifyProof('did:web:x', gateway.did, 'nonce-1', proof)).toBe(false);
    for (const wrong of [
      '',
      'x',
      `${proof}=`,
      proof.slice(1),
      null,
      undefined,
      1,
      {},
      'x'.repeat(1_000_000),
    ]) {
      expect(verifyProof(alice.did, gateway.did, 'nonce-1', wrong)).toBe(false);
    }
  });
});
