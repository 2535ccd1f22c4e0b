import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRevocation, createToken, delegateToken, Identity, tokenId } from '@esdb-gater/security';
import { systemClock } from '@esdb-gater/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestGateway } from '../support/in-process.ts';
import { type RawClient, rawConnect } from '../support/raw-client.ts';
import {
  ALL,
  bearer,
  claimsFor,
  everyDoor,
  forge,
  rawHttp,
  root,
  startGuarded,
  tokenFor,
  verdict,
} from './support.ts';

let gateway: TestGateway;
let admin: RawClient;
beforeAll(async () => {
  gateway = await startGuarded();
  admin = await rawConnect(gateway.url, bearer(tokenFor(gateway.did)));
});
afterAll(() => gateway.close());

const topicOf = (): string => `t${crypto.randomUUID()}`;
const messages = (client: RawClient) => client.notices.filter(({ method }) => method === 'message');
const publish = (topic: string) => admin.call('publish', { channel: 'system', topic, message: 1 });
const everywhere = (reason: string): string[] => Array(4).fill(`unauthorized/${reason}`) as string[];

/** A token that ends in about `seconds`: the shortest lifetime there is began some time ago. */
const endingIn = (seconds: number): string => {
  const now = Math.floor(Date.now() / 1_000);
  return forge(claimsFor(gateway.did, { iat: now + seconds - 60, exp: now + seconds }));
};

describe('T6: a revoked or expired token on a live socket', () => {
  test('revoked: closed with 4403 within a second, nothing is delivered after, every way in is shut', async () => {
    const token = tokenFor(gateway.did);
    const topic = topicOf();
    const victim = await rawConnect(gateway.url, bearer(token));
    await victim.call('subscribe', { channel: 'system', topic });
    await publish(topic);
    await victim.until(() => messages(victim).length === 1);

    const start = performance.now();
    expect(verdict(await admin.call('revokeToken', createRevocation(root, { cid: tokenId(token) })))).toBe(
      'ok',
    );
    await publish(topic);
    expect((await victim.closed).code).toBe(4403);
    // The promise itself is a time.
    expect(performance.now() - start).toBeLessThan(1_000);
    expect(messages(victim)).toHaveLength(1);

    const stranger = await rawConnect(gateway.url);
    expect(await everyDoor(gateway, stranger, token)).toEqual(everywhere('revoked'));
    await stranger.close();
  });

  test('revoking an issuer ends everything that depends on it, and nothing else', async () => {
    const [alice, bob] = [Identity.generate(), Identity.generate()];
    const chains = [alice, bob].map((issuer) =>
      delegateToken(createToken({ issuer: root, audience: issuer.did, att: ALL }), {
        issuer,
        audience: gateway.did,
        att: ALL,
      }),
    );
    const [byAlice, byBob] = [
      await rawConnect(gateway.url, bearer(chains[0] ?? '')),
      await rawConnect(gateway.url, bearer(chains[1] ?? '')),
    ];
    await admin.call('revokeToken', createRevocation(root, { iss: alice.did }));
    expect((await byAlice.closed).code).toBe(4403);
    expect(verdict(await byBob.call('health'))).toBe('ok');
    expect(await everyDoor(gateway, byBob, chains[0] ?? '')).toEqual(everywhere('revoked'));
    await byBob.close();
  });

  test('a subscription of a single call token ends with that token', async () => {
    const [own, borrowed, topic] = [tokenFor(gateway.did), tokenFor(gateway.did), topicOf()];
    const client = await rawConnect(gateway.url, bearer(own));
    await client.call('subscribe', { channel: 'system', topic, token: borrowed });
    await admin.call('revokeToken', createRevocation(root, { cid: tokenId(borrowed) }));
    expect((await client.closed).code).toBe(4403);
  });

  test('a revocation that arrives while a subscription is being created ends it', async () => {
    const [own, borrowed, topic] = [tokenFor(gateway.did), tokenFor(gateway.did), topicOf()];
    const client = await rawConnect(gateway.url, bearer(own));
    // In one batch, so that the second call begins before the first one has been answered.
    const revocation = createRevocation(root, { cid: tokenId(borrowed) });
    client.send([
      { jsonrpc: '2.0', id: 'a', method: 'subscribe', params: { channel: 'system', topic, token: borrowed } },
      { jsonrpc: '2.0', id: 'b', method: 'revokeToken', params: revocation },
    ]);
    expect((await client.closed).code).toBe(4403);
    await publish(topic);
    expect(messages(client)).toHaveLength(0);
  });

  test('a server-sent stream ends with its token', async () => {
    const [token, topic] = [tokenFor(gateway.did), topicOf()];
    const response = await fetch(`${gateway.http}/v1/channels/system/messages?topic=${topic}`, bearer(token));
    expect(response.status).toBe(200);
    const rest = response.text();
    await publish(topic);
    await admin.call('revokeToken', createRevocation(root, { cid: tokenId(token) }));
    await publish(topic);
    expect((await rest).split('event: message')).toHaveLength(2);
  });

  test('a worker is removed when its token is revoked', async () => {
    const token = tokenFor(gateway.did);
    const storeId = `w${crypto.randomUUID()}`;
    const worker = await rawConnect(gateway.url, bearer(token));
    expect(verdict(await worker.call('registerWorker', { storeId }))).toBe('ok');
    await admin.call('revokeToken', createRevocation(root, { cid: tokenId(token) }));
    expect((await worker.closed).code).toBe(4403);
    expect(verdict(await admin.call('getVersion', { storeId, streamId: 'a' }))).toMatch(
      /no_workers|retries_exhausted/,
    );
  });

  test.concurrent('expired: closed with 4401 on time, nothing is delivered after, every way in is shut', async () => {
    const topic = topicOf();
    const token = endingIn(3);
    const end =
      Number(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).exp) * 1_000;
    const victim = await rawConnect(gateway.url, bearer(token));
    await victim.call('subscribe', { channel: 'system', topic });
    await publish(topic);
    expect((await victim.closed).code).toBe(4401);
    // The promise itself is a time: not before the end, and soon after it.
    expect(Date.now() - end).toBeGreaterThan(-100);
    expect(Date.now() - end).toBeLessThan(2_000);
    await publish(topic);
    expect(messages(victim)).toHaveLength(1);
    const stranger = await rawConnect(gateway.url);
    expect(await everyDoor(gateway, stranger, token)).toEqual(everywhere('expired'));
    await stranger.close();
  });

  test.concurrent('a server-sent stream ends on time, too', async () => {
    const response = await fetch(`${gateway.http}/v1/channels/system/messages?topic=a`, bearer(endingIn(3)));
    expect(response.status).toBe(200);
    expect(await response.text()).not.toContain('event: message');
  });

  test.concurrent('a new token in time keeps the connection and its subscriptions', async () => {
    const [topic, fresh] = [topicOf(), tokenFor(gateway.did)];
    const client = await rawConnect(gateway.url, bearer(endingIn(3)));
    await client.call('subscribe', { channel: 'system', topic });
    expect(verdict(await client.call('authenticate', { token: fresh }))).toBe('ok');
    // As witness that the time of the former token has passed, another connection that stands on as short a one.
    const witness = await rawConnect(gateway.url, bearer(endingIn(3)));
    expect((await witness.closed).code).toBe(4401);
    await publish(topic);
    await client.until(() => messages(client).length === 1);
    await client.close();
  });

  test('after the clock has jumped, an ended token makes no more calls at any way in [R8] [T6]', async () => {
    let aheadMs = 0;
    const jumping = await startGuarded(
      {},
      { clock: { ...systemClock, now: () => systemClock.now() + aheadMs } },
    );
    const token = tokenFor(jumping.did);
    const [connected, subscribed] = [
      await rawConnect(jumping.url, bearer(token)),
      await rawConnect(jumping.url, bearer(tokenFor(jumping.did))),
    ];
    await subscribed.call('subscribe', { channel: 'system', topic: 'a', token });
    expect(verdict(await connected.call('health'))).toBe('ok');
    aheadMs = 900_000;
    for (const client of [connected, subscribed]) {
      const answer = client.call('publish', { channel: 'system', topic: 'a', message: 1 });
      await expect(answer.then(verdict, () => 'closed')).resolves.toMatch(/^unauthorized\/expired$|^closed$/);
      expect((await client.closed).code).toBe(4401);
      expect(messages(client)).toHaveLength(0);
    }
    const stranger = await rawConnect(jumping.url);
    expect(await everyDoor(jumping, stranger, token)).toEqual(everywhere('expired'));
    await jumping.close();
  });

  test('a revocation outlives the gateway: after a restart the token is refused at every way in', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'esdb-gater-t6-'));
    const first = await startGuarded({}, { dataDir });
    const [token, other] = [tokenFor(first.did), tokenFor(first.did)];
    const issuer = Identity.generate();
    const chain = delegateToken(createToken({ issuer: root, audience: issuer.did, att: ALL }), {
      issuer,
      audience: first.did,
      att: ALL,
    });
    const caller = await rawConnect(first.url, bearer(other));
    await caller.call('revokeToken', createRevocation(root, { cid: tokenId(token) }));
    await caller.call('revokeToken', createRevocation(issuer, { iss: issuer.did }));
    await first.close();

    const second = await startGuarded({}, { dataDir });
    expect(second.did).toBe(first.did);
    const stranger = await rawConnect(second.url);
    expect(await everyDoor(second, stranger, token)).toEqual(everywhere('revoked'));
    expect(await everyDoor(second, stranger, chain)).toEqual(everywhere('revoked'));
    expect(await everyDoor(second, stranger, other)).toEqual(['ok', 'ok', 'ok', 'ok']);
    await second.close();
    // The stored revocation identifies the token without containing it.
    const file = readFileSync(join(dataDir, 'revocations.ndjson'), 'utf8');
    expect(file).toContain(tokenId(token));
    expect(file).not.toContain(token.split('.')[2]);
    rmSync(dataDir, { recursive: true });
  });

  test('only an issuer of the chain or a root can revoke a token; revocations by others have no effect', async () => {
    const alice = Identity.generate();
    const parent = createToken({ issuer: root, audience: alice.did, att: ALL });
    const token = delegateToken(parent, { issuer: alice, audience: gateway.did, att: ALL });
    const client = await rawConnect(gateway.url, bearer(token));
    const mallory = Identity.generate();
    for (const revocation of [
      createRevocation(mallory, { cid: tokenId(token) }),
      createRevocation(mallory, { iss: alice.did }),
      createRevocation(mallory, { iss: root.did }),
      // An issuer of a child cannot revoke its parent, only the own token.
      createRevocation(alice, { iss: root.did }),
    ]) {
      const answer = await rawHttp(gateway.http, 'POST', '/v1/revocations', { body: revocation });
      expect([answer.verdict]).toEqual(['ok']);
    }
    expect(verdict(await client.call('health'))).toBe('ok');
    const good = createRevocation(alice, { cid: tokenId(token) });
    for (const change of [{ by: root.did }, { at: 1 }, { reason: 'x' }, { proof: 'A'.repeat(86) }]) {
      expect(verdict(await client.call('revokeToken', { ...good, ...change }))).toMatch(
        /^unauthorized\/invalid_signature|^invalid_argument/,
      );
    }
    expect(verdict(await client.call('health'))).toBe('ok');
    void client.call('revokeToken', good).catch(() => undefined);
    expect((await client.closed).code).toBe(4403);
  });
});
