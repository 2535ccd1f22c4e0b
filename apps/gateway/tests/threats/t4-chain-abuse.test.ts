import { createToken, delegateToken, Identity } from '@esdb-gater/security';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestGateway } from '../support/in-process.ts';
import { type RawClient, rawConnect } from '../support/raw-client.ts';
import {
  ALL,
  base64url,
  claimsFor,
  everyDoor,
  forge,
  forgeChild,
  rawHttp,
  root,
  startGuarded,
  tokenFor,
  upgradeVerdict,
  verdict,
} from './support.ts';

let gateway: TestGateway;
let client: RawClient;
beforeAll(async () => {
  gateway = await startGuarded();
  client = await rawConnect(gateway.url);
});
afterAll(() => gateway.close());

const [alice, bob] = [Identity.generate(), Identity.generate()];
const everywhere = (reason: string): string[] => Array(4).fill(`unauthorized/${reason}`) as string[];
const seconds = (): number => Math.floor(Date.now() / 1_000);

describe('T4: chain abuse', () => {
  test('an audience that is not the issuer of the next token is invalid_delegation', async () => {
    const forAlice = createToken({ issuer: root, audience: alice.did, att: ALL });
    const byBob = forgeChild(forAlice, bob, gateway.did, ALL);
    expect(await everyDoor(gateway, client, byBob)).toEqual(everywhere('invalid_delegation'));
    const forGateway = createToken({ issuer: root, audience: gateway.did, att: ALL });
    const taken = forgeChild(forGateway, bob, gateway.did, ALL);
    expect(await everyDoor(gateway, client, taken)).toEqual(everywhere('invalid_delegation'));
  });

  test('a token with another last audience is wrong_audience', async () => {
    const forAlice = createToken({ issuer: root, audience: alice.did, att: ALL });
    const forBob = delegateToken(forAlice, { issuer: alice, audience: bob.did, att: ALL });
    expect(await everyDoor(gateway, client, forBob)).toEqual(everywhere('wrong_audience'));
  });

  test("a child's end after its parent's is the parent's end", async () => {
    const now = seconds();
    const parent = createToken({ issuer: root, audience: alice.did, att: ALL, lifetimeSeconds: 60 });
    const child = delegateToken(parent, {
      issuer: alice,
      audience: gateway.did,
      att: ALL,
      lifetimeSeconds: 86_400,
    });
    const one = await rawConnect(gateway.url);
    const { result } = await one.call('authenticate', { token: child });
    const { expiresAt } = result as { expiresAt: number };
    expect(expiresAt).toBeGreaterThanOrEqual(now + 60);
    expect(expiresAt).toBeLessThanOrEqual(now + 62);
    await one.close();

    const ended = forge(claimsFor(alice.did, { iat: now - 120, exp: now - 1 }));
    const late = delegateToken(ended, { issuer: alice, audience: gateway.did, att: ALL });
    expect(await everyDoor(gateway, client, late)).toEqual(everywhere('expired'));
  });

  test("a child before its parent's beginning is not_yet_valid", async () => {
    const now = seconds();
    const later = forge(claimsFor(alice.did, { nbf: now + 300 }));
    const early = delegateToken(later, { issuer: alice, audience: gateway.did, att: ALL });
    expect(await everyDoor(gateway, client, early)).toEqual(everywhere('not_yet_valid'));
  });

  test('tokens cannot form a cycle, and imitations of one are refused', async () => {
    // A token would have to contain itself. The closest imitation: each contains an earlier version of the other.
    let [one, other] = [tokenFor(alice.did), tokenFor(bob.did)];
    for (let i = 0; i < 2; i++) {
      const next = delegateToken(other, { issuer: bob, audience: alice.did, att: ALL });
      other = delegateToken(one, { issuer: alice, audience: bob.did, att: ALL });
      one = next;
    }
    const circling = delegateToken(one, { issuer: alice, audience: gateway.did, att: ALL });
    expect(await everyDoor(gateway, client, circling)).toEqual(['ok', 'ok', 'ok', 'ok']);
    // A reference instead of an inline token, as in UCAN 1.0, is not a proof here.
    const text = tokenFor(gateway.did);
    for (const prf of [['bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'], ['.'], ['']]) {
      const named = forge(claimsFor(gateway.did, { prf }));
      expect(await everyDoor(gateway, client, named), prf[0]).toEqual(everywhere('parse_error'));
    }
    const own = forge(claimsFor(gateway.did, { prf: [text] }));
    expect(await everyDoor(gateway, client, own)).toEqual(everywhere('invalid_delegation'));
  });

  test('a chain of nine is too_large, and the longest allowed chain is valid', async () => {
    // Names, times and nonces as short as a token may have them; base64url of base64url is what bounds the chain.
    const att = [{ with: '*', can: '*' }];
    const people = Array.from({ length: 9 }, () => Identity.generate());
    let chain = '';
    let fits = 0;
    for (const [i, by] of [root, ...people].entries()) {
      if (i === 9) break;
      const next = people[i]?.did ?? '';
      const prf = chain === '' ? [] : [chain];
      const good = forge(claimsFor(gateway.did, { iss: by.did, att, prf }), { by });
      const answers = await everyDoor(gateway, client, good);
      if (answers.every((answer) => answer === 'ok')) fits = i + 1;
      else expect(answers, `${i + 1} tokens, ${good.length} bytes`).toEqual(everywhere('too_large'));
      chain = forge(claimsFor(next, { iss: by.did, att, prf }), { by });
    }
    expect(fits).toBeGreaterThanOrEqual(5);
    expect(fits).toBeLessThanOrEqual(8);
  });

  test('a thousand links and a giant token are too_large at once, however they came', async () => {
    const link = tokenFor(alice.did);
    const thousand = forge(claimsFor(gateway.did, { prf: Array(1_000).fill(link) }));
    const giant = forge(claimsFor(gateway.did, { fct: { x: 'x'.repeat(900_000) } }));
    for (const token of [thousand, giant]) {
      // Checked before anything is decoded: verifying a thousand links each time would exceed the time limit of the test.
      for (let round = 0; round < 5; round++) {
        expect(verdict(await client.call('authenticate', { token }))).toBe('unauthorized/too_large');
        const params = { storeId: 'default', streamId: 'a', token };
        expect(verdict(await client.call('getVersion', params))).toBe('unauthorized/too_large');
      }
    }
    // The headers of a request have their own, lower bound.
    const fat = forge(claimsFor(gateway.did, { fct: { x: 'x'.repeat(15_000) } }));
    expect(fat.length).toBeGreaterThan(16_384);
    expect(await everyDoor(gateway, client, fat)).toEqual(everywhere('too_large'));
    const answer = await rawHttp(gateway.http, 'GET', '/health', { token: 'x'.repeat(40_000) }).catch(
      () => undefined,
    );
    expect(answer?.status ?? 431).toBe(431);
    expect(await upgradeVerdict(gateway.http, tokenFor(gateway.did))).toBe('ok');
  }, 5_000);

  test('five parents, 33 grants and deep facts are parse_error', async () => {
    const parent = tokenFor(alice.did, [{ with: 'esdb://default/*', can: '*' }]);
    const deep = `${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}`;
    for (const change of [
      { prf: Array(5).fill(parent.slice(0, 400)) },
      { att: Array(33).fill(ALL[0]) },
      { fct: [] },
    ]) {
      const token = forge(claimsFor(gateway.did, change));
      expect(await everyDoor(gateway, client, token)).toEqual(everywhere('parse_error'));
    }
    const claims = JSON.stringify(claimsFor(gateway.did)).replace('{', `{"fct":${deep},`);
    expect(
      (await everyDoor(gateway, client, forge(claims))).every((one) => one.startsWith('unauthorized/')),
    ).toBe(true);
  });

  test('a wide tree of parents is verified in bounded time', async () => {
    const leaf = (): string => tokenFor(alice.did, [{ with: 'esdb://default/*', can: 'stream/read' }]);
    const att = [{ with: 'esdb://default/*', can: 'stream/read' }];
    // The time limit of the test allows a second for each tree.
    for (let round = 0; round < 5; round++) {
      const parents = Array.from({ length: 4 }, () =>
        delegateToken([leaf(), leaf(), leaf()], { issuer: alice, audience: alice.did, att }),
      );
      const tree = delegateToken(parents, { issuer: alice, audience: gateway.did, att });
      expect(verdict(await client.call('authenticate', { token: tree }))).toBe('ok');
    }
  }, 5_000);

  test('one bad link anywhere spoils the chain', async () => {
    const good = createToken({ issuer: root, audience: alice.did, att: ALL });
    const [header, claims] = good.split('.');
    const links: readonly (readonly [string, string])[] = [
      [`${header}.${claims}.${'A'.repeat(86)}`, 'invalid_signature'],
      [`${base64url({ alg: 'none', typ: 'JWT', ucv: '0.9.1' })}.${claims}.${'A'.repeat(86)}`, 'parse_error'],
      [good.slice(0, -1), 'parse_error'],
      [` ${good}`, 'parse_error'],
    ];
    for (const [link, reason] of links) {
      const child = forge(claimsFor(gateway.did, { iss: alice.did, prf: [link] }), { by: alice });
      expect(await everyDoor(gateway, client, child), reason).toEqual(everywhere(reason));
      const second = forge(claimsFor(gateway.did, { iss: alice.did, prf: [good, link] }), { by: alice });
      expect(await everyDoor(gateway, client, second), reason).toEqual(everywhere(reason));
    }
  });
});
