import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createProof,
  createRevocation,
  createToken,
  delegateToken,
  Identity,
  tokenId,
} from '@esdb-gater/security';
import type { Logger } from '@esdb-gater/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './support/in-process.ts';
import { type RawClient, type RpcAnswer, rawConnect } from './support/raw-client.ts';

const root = Identity.generate();
const STREAM = 'esdb://default/stream/default/';
const ALL = [{ with: '*', can: '*' }];

let gateway: TestGateway;
const logged: unknown[] = [];
const log = (fields: object, message: string) =>
  void logged.push({ fields: JSON.stringify(fields), message });
const logger: Logger = { debug: log, info: log, warn: log, error: log };
beforeAll(async () => {
  gateway = await startTestGateway(
    {
      'security-capabilities': 'required',
      'security-trusted-issuers': root.did,
      'limits-authenticate-ms': '300',
      'log-level': 'debug',
      stores: '{"default":{"engine":"memory"},"secret":{"engine":"memory"}}',
    },
    { logger },
  );
});
afterAll(() => gateway.close());

const tokens: string[] = [];
function token(
  att: readonly { with: string; can: string }[],
  options: { audience?: string; lifetimeSeconds?: number } = {},
): string {
  const made = createToken({
    issuer: root,
    audience: options.audience ?? gateway.did,
    att: [...att],
    ...(options.lifetimeSeconds === undefined ? {} : { lifetimeSeconds: options.lifetimeSeconds }),
  });
  tokens.push(made);
  return made;
}

const bearer = (text: string) => ({ headers: { authorization: `Bearer ${text}` } });
const reason = ({ error }: RpcAnswer) => `${error?.data.code} ${error?.data['reason']}`;
const append = (streamId: string, storeId = 'default') => ({
  storeId,
  streamId,
  events: [{ type: 't', data: 1 }],
});

async function authenticated(att: readonly { with: string; can: string }[]): Promise<RawClient> {
  return rawConnect(gateway.url, bearer(token(att)));
}

describe('required', () => {
  test('without a token every call is capability_required, and the connection is closed with 4408', async () => {
    const client = await rawConnect(gateway.url);
    for (const method of [
      'health',
      'appendEvents',
      'publish',
      'channelInfo',
      'registerWorker',
      'subscribe',
    ]) {
      expect(reason(await client.call(method, {})), method).toBe('unauthorized capability_required');
    }
    expect((await client.closed).code).toBe(4408);
  });

  test('a bad token in the upgrade request is answered with 401', async () => {
    await expect(rawConnect(gateway.url, bearer('nonsense'))).rejects.toThrow('401');
    const minted = createToken({ issuer: Identity.generate(), audience: gateway.did, att: ALL });
    await expect(rawConnect(gateway.url, bearer(minted))).rejects.toThrow('401');
  });

  test('a self-issued token does not grant anything', async () => {
    const client = await rawConnect(gateway.url);
    const mallory = Identity.generate();
    const minted = createToken({ issuer: mallory, audience: gateway.did, att: ALL });
    expect(reason(await client.call('authenticate', { token: minted }))).toBe('unauthorized untrusted_root');
    expect(
      reason(await client.call('getVersion', { storeId: 'default', streamId: 'a', token: minted })),
    ).toBe('unauthorized untrusted_root');
    await client.close();
  });

  test('authenticate returns the grants of the token, and a later token replaces it', async () => {
    const client = await rawConnect(gateway.url);
    const att = [{ with: `${STREAM}orders-*`, can: 'stream/*' }];
    const first = await client.call('authenticate', { token: token(att) });
    expect(first.result).toMatchObject({ audience: gateway.did, att });
    expect((await client.call('appendEvents', append('orders-1'))).result).toMatchObject({ version: 0 });
    expect(reason(await client.call('appendEvents', append('users-1')))).toBe(
      'unauthorized insufficient_permissions',
    );
    await client.call('authenticate', { token: token([{ with: `${STREAM}users-*`, can: 'stream/append' }]) });
    expect((await client.call('appendEvents', append('users-1'))).result).toMatchObject({ version: 0 });
    expect(reason(await client.call('appendEvents', append('orders-1')))).toBe(
      'unauthorized insufficient_permissions',
    );
    await client.close();
  });

  test('a failed authenticate leaves the connection and its token as they were', async () => {
    const client = await authenticated(ALL);
    expect(reason(await client.call('authenticate', { token: 'x' }))).toBe('unauthorized parse_error');
    expect((await client.call('health')).error).toBeUndefined();
    await client.close();
  });

  test("a single call's token wins over the connection's", async () => {
    const client = await authenticated([{ with: `${STREAM}orders-1`, can: 'stream/append' }]);
    const own = token([{ with: `${STREAM}users-1`, can: 'stream/append' }]);
    expect((await client.call('appendEvents', { ...append('users-1'), token: own })).error).toBeUndefined();
    expect(reason(await client.call('appendEvents', { ...append('orders-1'), token: own }))).toBe(
      'unauthorized insufficient_permissions',
    );
    await client.close();
  });

  test('permission is asked before existence: missing and forbidden look the same [T23]', async () => {
    const client = await authenticated([{ with: `${STREAM}orders-*`, can: 'stream/read' }]);
    const answers = await Promise.all([
      client.call('getVersion', { storeId: 'secret', streamId: 'a' }),
      client.call('getVersion', { storeId: 'nowhere', streamId: 'a' }),
    ]);
    expect(answers.map(reason)).toEqual([
      'unauthorized insufficient_permissions',
      'unauthorized insufficient_permissions',
    ]);
    await client.close();
  });

  test('lists are filtered by grants [T23]', async () => {
    const admin = await authenticated(ALL);
    for (const streamId of ['tenant-a-1', 'tenant-b-1']) await admin.call('appendEvents', append(streamId));
    const client = await authenticated([
      { with: `${STREAM}tenant-a-*`, can: 'stream/read' },
      { with: 'esdb://default/channel/events/tenant-a.*', can: 'channel/subscribe' },
    ]);
    expect((await client.call('getStreams', { storeId: 'default', prefix: 'tenant-' })).result).toEqual({
      streams: ['tenant-a-1'],
    });
    const { channels } = (await client.call('channelInfo')).result as { channels: { name: string }[] };
    expect(channels.map(({ name }) => name)).toEqual(['events']);
    await admin.close();
    await client.close();
  });

  test('a pattern needs a grant that covers its literal beginning', async () => {
    const client = await authenticated([
      { with: 'esdb://default/channel/events/default.a*', can: 'channel/subscribe' },
    ]);
    const subscribe = (topic: string) => client.call('subscribe', { channel: 'events', topic });
    expect((await subscribe('default.a1.*')).error).toBeUndefined();
    expect((await subscribe('default.abc')).error).toBeUndefined();
    for (const topic of ['default.*', 'default.b', '>', 'default.*.a']) {
      expect(reason(await subscribe(topic)), topic).toBe('unauthorized insufficient_permissions');
    }
    await client.close();
  });

  test('a worker needs worker/register for its store [T21]', async () => {
    const client = await authenticated([{ with: 'esdb://default/worker/mine', can: 'worker/register' }]);
    expect((await client.call('registerWorker', { storeId: 'mine' })).result).toMatchObject({
      nodeId: gateway.nodeId,
    });
    expect(reason(await client.call('registerWorker', { storeId: 'other' }))).toBe(
      'unauthorized insufficient_permissions',
    );
    await client.close();
  });
});

describe('the presenter', () => {
  const agent = Identity.generate();

  test('a token for a DID is valid only with a proof of its key on this connection', async () => {
    const text = token(ALL, { audience: agent.did });
    const client = await rawConnect(gateway.url);
    expect(reason(await client.call('authenticate', { token: text }))).toBe('unauthorized wrong_audience');
    const proof = createProof(agent, gateway.did, client.hello['nonce'] as string);
    expect((await client.call('authenticate', { token: text, proof })).result).toMatchObject({
      audience: agent.did,
    });
    const second = await rawConnect(gateway.url);
    expect(reason(await second.call('authenticate', { token: text, proof }))).toBe(
      'unauthorized wrong_audience',
    );
    await client.close();
    await second.close();
  });

  test('a stolen token is refused without the key', async () => {
    const text = token(ALL, { audience: agent.did });
    const thief = await rawConnect(gateway.url);
    const proof = createProof(Identity.generate(), gateway.did, thief.hello['nonce'] as string);
    expect(reason(await thief.call('authenticate', { token: text, proof }))).toBe(
      'unauthorized wrong_audience',
    );
    await thief.close();
  });
});

describe('revocation', () => {
  test('a revoked token ends live connections with 4403, and stays revoked', async () => {
    const text = token(ALL);
    const victim = await rawConnect(gateway.url, bearer(text));
    const bystander = await authenticated(ALL);
    await bystander.call('subscribe', { channel: 'security', topic: 'token.revoked' });
    const caller = await rawConnect(gateway.url);
    const revocation = createRevocation(root, { cid: tokenId(text) });
    expect((await caller.call('revokeToken', revocation)).result).toMatchObject({
      id: expect.any(String) as string,
    });
    expect((await victim.closed).code).toBe(4403);
    await expect(rawConnect(gateway.url, bearer(text))).rejects.toThrow('401');
    await bystander.until(() => bystander.notices.some(({ method }) => method === 'message'));
    expect(bystander.notices.at(-1)?.params['message']).toMatchObject({
      cid: tokenId(text),
      signature: expect.any(String) as string,
    });
    await bystander.close();
    await caller.close();
  });

  test('revoking an ancestor revokes its children, and revocations by others have no effect', async () => {
    const middle = Identity.generate();
    const parent = createToken({ issuer: root, audience: middle.did, att: ALL });
    const child = delegateToken(parent, { issuer: middle, audience: gateway.did, att: ALL });
    const client = await rawConnect(gateway.url, bearer(child));
    await client.call('revokeToken', createRevocation(Identity.generate(), { cid: tokenId(parent) }));
    expect((await client.call('health')).error).toBeUndefined();
    void client.call('revokeToken', createRevocation(root, { cid: tokenId(parent) })).catch(() => undefined);
    expect((await client.closed).code).toBe(4403);
  });

  test('a revocation with a wrong proof is refused', async () => {
    const client = await rawConnect(gateway.url);
    const good = createRevocation(root, { cid: tokenId(token(ALL)) });
    expect(reason(await client.call('revokeToken', { ...good, reason: 'changed' }))).toBe(
      'unauthorized invalid_signature',
    );
    expect((await client.call('revokeToken', { ...good, cid: 'x' })).error?.data.code).toBe(
      'invalid_argument',
    );
    await client.close();
  });

  test('revocations survive a restart', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'esdb-gater-revoked-'));
    const flags = { 'security-capabilities': 'required', 'security-trusted-issuers': root.did };
    const first = await startTestGateway(flags, { dataDir });
    const text = createToken({ issuer: root, audience: first.did, att: ALL });
    const client = await rawConnect(first.url, bearer(text));
    void client.call('revokeToken', createRevocation(root, { cid: tokenId(text) })).catch(() => undefined);
    await client.closed;
    await first.close();
    const second = await startTestGateway(flags, { dataDir });
    await expect(rawConnect(second.url, bearer(text))).rejects.toThrow('401');
    await second.close();
    rmSync(dataDir, { recursive: true });
  });
});

describe('over HTTP', () => {
  const get = async (path: string, text?: string) =>
    fetch(gateway.http + path, text === undefined ? {} : bearer(text));

  test('probes and the page need no token, health and metrics any valid token, everything else a grant', async () => {
    for (const path of ['/livez', '/readyz', '/']) expect((await get(path)).status, path).toBe(200);
    const weak = token([{ with: `${STREAM}none`, can: 'stream/read' }]);
    for (const path of ['/health', '/metrics']) {
      const refused = await get(path);
      expect(refused.status, path).toBe(401);
      expect(refused.headers.get('www-authenticate')).toContain('Bearer');
      expect((await get(path, 'nonsense')).status, path).toBe(401);
      expect((await get(path, weak)).status, path).toBe(200);
    }
    const read = '/v1/stores/default/streams/other/events';
    expect((await get(read)).status).toBe(401);
    expect((await get(read, weak)).status).toBe(403);
    expect((await get(`/v1/channels/events/messages?topic=a`, weak)).status).toBe(403);
    expect((await get(`/v1/channels/events/messages?topic=a`)).status).toBe(401);
  });

  test('a server-sent stream ends when its token is revoked', async () => {
    const text = token(ALL);
    const response = await get('/v1/channels/system/messages?topic=a', text);
    const revoked = await fetch(`${gateway.http}/v1/revocations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(createRevocation(root, { cid: tokenId(text) })),
    });
    expect(revoked.status).toBe(200);
    expect(await response.text()).toMatch(/^id: .+\nevent: subscribed\n/);
  });
});

test('no token appears in any log', () => {
  const text = JSON.stringify(logged);
  expect(tokens.length).toBeGreaterThan(10);
  expect(logged.length).toBeGreaterThan(0);
  for (const one of tokens) expect(text.includes(one.split('.')[2] ?? one)).toBe(false);
});

describe('optional and disabled', () => {
  test('in optional no token passes and a token binds', async () => {
    await using open = await startTestGateway({
      stores: '{"default":{"engine":"memory"}}',
      'security-trusted-issuers': root.did,
      'channels-audit-capabilities': 'required',
    });
    const client = await rawConnect(open.url);
    expect((await client.call('appendEvents', append('a'))).error).toBeUndefined();
    expect((await client.call('registerWorker', { storeId: 'mine' })).error).toBeUndefined();
    expect(reason(await client.call('publish', { channel: 'audit', topic: 'a', message: 1 }))).toBe(
      'unauthorized capability_required',
    );
    const narrow = createToken({
      issuer: root,
      audience: open.did,
      att: [{ with: `${STREAM}b`, can: 'stream/append' }],
    });
    await client.call('authenticate', { token: narrow });
    expect(reason(await client.call('appendEvents', append('a')))).toBe(
      'unauthorized insufficient_permissions',
    );
    await client.close();
  });

  test('in disabled mode tokens are ignored', async () => {
    await using open = await startTestGateway({
      stores: '{"default":{"engine":"memory"}}',
      'security-capabilities': 'disabled',
    });
    const client = await rawConnect(open.url, bearer('nonsense'));
    expect((await client.call('appendEvents', { ...append('a'), token: 'nonsense' })).error).toBeUndefined();
    await client.close();
  });
});
