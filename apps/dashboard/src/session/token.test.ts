import { describe, expect, test } from 'vitest';
import { allows, readToken, resourcePart } from './token.ts';

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const tokenOf = (claims: unknown): string => `e30.${encode(claims)}.c2ln`;
const CLAIMS = {
  iss: 'did:key:a',
  aud: 'did:key:b',
  iat: 1,
  exp: 2,
  att: [{ with: '*', can: '*' }],
  prf: ['p'],
};

describe('readToken', () => {
  test('returns what a token says, in any letters', () => {
    expect(readToken(` ${tokenOf({ ...CLAIMS, iss: 'did:key:\u00e9\u{1f511}' })}\n`)).toEqual({
      issuer: 'did:key:\u00e9\u{1f511}',
      audience: 'did:key:b',
      issuedAt: 1,
      notBefore: undefined,
      expiresAt: 2,
      grants: [{ with: '*', can: '*' }],
      parents: 1,
    });
  });

  test('returns undefined for what is not a token', () => {
    for (const text of [
      '',
      'a.b',
      'a.b.c',
      'a.%.c',
      tokenOf(null),
      tokenOf({ ...CLAIMS, att: 1 }),
      tokenOf([]),
    ]) {
      expect(readToken(text), text).toBeUndefined();
    }
  });
});

describe('allows', () => {
  const path = '/stream/default/users-1';

  test('compares the action: itself, its name space, or everything', () => {
    for (const can of ['*', 'stream/*', 'stream/append']) {
      expect(allows([{ with: '*', can }], 'stream/append', path), can).toBe(true);
    }
    for (const can of ['stream/read', 'channel/*', 'stream']) {
      expect(allows([{ with: '*', can }], 'stream/append', path), can).toBe(false);
    }
  });

  test('compares the resource in any realm: itself, its beginning, or everything', () => {
    for (const resource of [
      '*',
      `esdb://default${path}`,
      'esdb://eu/stream/default/users-*',
      'esdb://default/*',
    ]) {
      expect(allows([{ with: resource, can: '*' }], 'stream/append', path), resource).toBe(true);
    }
    for (const resource of [
      `esdb://default${path}2`,
      'esdb://default/stream/default/users',
      'esdb://default/channel/*',
    ]) {
      expect(allows([{ with: resource, can: '*' }], 'stream/append', path), resource).toBe(false);
    }
  });

  test('ids are encoded as in a resource', () => {
    expect(resourcePart("a/b c*'")).toBe('a%2Fb%20c%2A%27');
  });
});
