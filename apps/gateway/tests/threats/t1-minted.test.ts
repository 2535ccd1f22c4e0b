import { createToken, delegateToken, Identity } from '@esdb-gater/security';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestGateway } from '../support/in-process.ts';
import { type RawClient, rawConnect } from '../support/raw-client.ts';
import { ALL, everyDoor, root, startGuarded, tokenFor } from './support.ts';

let gateway: TestGateway;
let client: RawClient;
beforeAll(async () => {
  gateway = await startGuarded();
  client = await rawConnect(gateway.url);
});
afterAll(() => gateway.close());

const UNTRUSTED = Array(4).fill('unauthorized/untrusted_root') as string[];

describe('T1: a token that its presenter minted himself', () => {
  const mallory = Identity.generate();

  test('`*` on `*` by a fresh key is refused at every way in: untrusted_root', async () => {
    const minted = createToken({ issuer: mallory, audience: gateway.did, att: ALL });
    expect(await everyDoor(gateway, client, minted)).toEqual(UNTRUSTED);
    // The same claims by the root are good, so that it is the root which was asked for.
    expect(await everyDoor(gateway, client, tokenFor(gateway.did))).toEqual(['ok', 'ok', 'ok', 'ok']);
  });

  test('a chain from an unknown root is refused, for any length and any other issuers', async () => {
    const others = [root, Identity.generate(), Identity.generate()];
    let chain = createToken({ issuer: mallory, audience: others[0]?.did ?? '', att: ALL });
    for (const [i, issuer] of others.entries()) {
      chain = delegateToken(chain, { issuer, audience: others[i + 1]?.did ?? gateway.did, att: ALL });
      if (i === 0) {
        const short = delegateToken(createToken({ issuer: mallory, audience: root.did, att: ALL }), {
          issuer: root,
          audience: gateway.did,
          att: ALL,
        });
        expect(await everyDoor(gateway, client, short)).toEqual(UNTRUSTED);
      }
    }
    expect(await everyDoor(gateway, client, chain)).toEqual(UNTRUSTED);
  });

  test('one parent of a trusted root does not lend its trust to another parent', async () => {
    const alice = Identity.generate();
    const parents = [root, mallory].map((issuer) =>
      createToken({ issuer, audience: alice.did, att: [{ with: 'esdb://default/*', can: 'stream/*' }] }),
    );
    const mixed = delegateToken(parents, {
      issuer: alice,
      audience: gateway.did,
      att: [{ with: 'esdb://default/*', can: 'stream/*' }],
    });
    expect(await everyDoor(gateway, client, mixed)).toEqual(UNTRUSTED);
  });

  test('the DID of the root in the claims and the signature of somebody else are invalid_signature', async () => {
    const [header, claims] = tokenFor(gateway.did).split('.');
    const signed = `${header}.${claims}`;
    const stolen = `${signed}.${Buffer.from(mallory.sign(Buffer.from(signed))).toString('base64url')}`;
    expect(await everyDoor(gateway, client, stolen)).toEqual(Array(4).fill('unauthorized/invalid_signature'));
  });

  test('the gateway does not trust its own key when others are configured', async () => {
    const second = await startGuarded();
    const foreign = tokenFor(second.did);
    expect(await everyDoor(gateway, client, foreign)).toEqual(Array(4).fill('unauthorized/wrong_audience'));
    await second.close();
  });
});
