import { createProof, createToken, Identity } from '@esdb-gater/security';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestGateway } from '../support/in-process.ts';
import { type RawClient, rawConnect } from '../support/raw-client.ts';
import { ALL, bearer, everyDoor, rawHttp, root, startGuarded, tokenFor, verdict } from './support.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGuarded();
});
afterAll(() => gateway.close());

const agent = Identity.generate();
const token = createToken({ issuer: root, audience: agent.did, att: ALL });
const nonceOf = (client: RawClient): string => client.hello['nonce'] as string;
const WRONG = 'unauthorized/wrong_audience';
const read = { storeId: 'default', streamId: 'a' };

describe('T5: a stolen token used elsewhere', () => {
  test('without the key of its audience it is refused at every way in', async () => {
    const thief = await rawConnect(gateway.url);
    expect(await everyDoor(gateway, thief, token)).toEqual(Array(4).fill(WRONG));
    await thief.close();
  });

  test('its owner proves the key for the connection, and then for single calls too', async () => {
    const owner = await rawConnect(gateway.url);
    const proof = createProof(agent, gateway.did, nonceOf(owner));
    expect(verdict(await owner.call('authenticate', { token, proof }))).toBe('ok');
    expect(verdict(await owner.call('getVersion', read))).toBe('ok');
    expect(verdict(await owner.call('getVersion', { ...read, token }))).toBe('ok');
    await owner.close();
  });

  test('the proof of one connection is invalid on a second one, while the first is still open', async () => {
    const owner = await rawConnect(gateway.url);
    const thief = await rawConnect(gateway.url);
    expect(nonceOf(owner)).not.toBe(nonceOf(thief));
    const proof = createProof(agent, gateway.did, nonceOf(owner));
    expect(verdict(await owner.call('authenticate', { token, proof }))).toBe('ok');
    expect(verdict(await thief.call('authenticate', { token, proof }))).toBe(WRONG);
    expect(verdict(await thief.call('authenticate', { token }))).toBe(WRONG);
    expect(verdict(await thief.call('getVersion', { ...read, token }))).toBe(WRONG);
    expect(verdict(await thief.call('getVersion', read))).toBe('unauthorized/capability_required');
    // A refused thief does not affect the owner.
    expect(verdict(await owner.call('getVersion', read))).toBe('ok');
    await owner.close();
    await thief.close();
  });

  test('a proof must be by the key of the audience, over this gateway and this nonce', async () => {
    const thief = await rawConnect(gateway.url);
    const nonce = nonceOf(thief);
    const sign = (by: Identity, text: string): string =>
      Buffer.from(by.sign(Buffer.from(text))).toString('base64url');
    const mallory = Identity.generate();
    const proofs = [
      createProof(mallory, gateway.did, nonce),
      createProof(root, gateway.did, nonce),
      createProof(agent, mallory.did, nonce),
      createProof(agent, gateway.did, `${nonce}A`),
      createProof(agent, gateway.did, nonce.slice(1)),
      sign(agent, nonce),
      sign(agent, `esdb-gater-auth\n${gateway.did}\n${nonce}`),
      sign(agent, `esdb-gater-auth\0${gateway.did}${nonce}`),
      `${createProof(agent, gateway.did, nonce)}=`,
      createProof(agent, gateway.did, nonce).slice(0, -2),
      'A'.repeat(86),
      '',
      '\u0000',
    ];
    for (const proof of proofs) {
      expect(verdict(await thief.call('authenticate', { token, proof })), proof).toBe(WRONG);
    }
    for (const proof of [null, 1, {}, []]) {
      expect(verdict(await thief.call('authenticate', { token, proof }))).toMatch(/^invalid_argument/);
    }
    expect(
      verdict(await thief.call('authenticate', { token, proof: createProof(agent, gateway.did, nonce) })),
    ).toBe('ok');
    await thief.close();
  });

  test('a proved key is valid only for tokens with its audience', async () => {
    const client = await rawConnect(gateway.url);
    const proof = createProof(agent, gateway.did, nonceOf(client));
    await client.call('authenticate', { token, proof });
    const others = tokenFor(Identity.generate().did);
    expect(verdict(await client.call('authenticate', { token: others, proof }))).toBe(WRONG);
    expect(verdict(await client.call('getVersion', { ...read, token: others }))).toBe(WRONG);
    await client.close();
  });

  test("a token for one gateway is invalid at another, and so is its owner's proof", async () => {
    const other = await startGuarded();
    const thief = await rawConnect(other.url);
    expect(await everyDoor(other, thief, tokenFor(gateway.did))).toEqual(Array(4).fill(WRONG));
    const proof = createProof(agent, gateway.did, nonceOf(thief));
    expect(verdict(await thief.call('authenticate', { token, proof }))).toBe(WRONG);
    await other.close();
  });

  test('HTTP has no connection for proofs: only tokens for the gateway are valid', async () => {
    expect((await rawHttp(gateway.http, 'GET', '/health', { token })).verdict).toBe(WRONG);
    expect((await rawHttp(gateway.http, 'GET', '/health', { token: tokenFor(gateway.did) })).verdict).toBe(
      'ok',
    );
    await expect(rawConnect(gateway.url, bearer(token))).rejects.toThrow('401');
  });
});
