import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createProof, createRevocation, createToken, Identity, tokenId } from '@esdb-gater/security';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type GatewayProcess,
  runCli,
  startGatewayProcess,
  temporaryFolder,
} from '../support/gateway-process.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { rawConnect } from '../support/raw-client.ts';
import {
  ALL,
  base64url,
  bearer,
  claimsFor,
  forge,
  forgeChild,
  rawHttp,
  root,
  upgradeVerdict,
  verdict,
} from './support.ts';

const HMAC_SECRET = 'a secret that no log may have 7d1c';
const CLUSTER_SECRET = 'a cluster secret that no log may have 88a3';

const folder = temporaryFolder();
const agent = Identity.generate();
/** The texts that must not be found, by their names. */
const secrets = new Map<string, string>();
let collector: OtlpReceiver;
let gateway: GatewayProcess;
let did: string;
let output: string;

/** Remembers a token, and each of its parts from which somebody could go on. */
function secret(what: string, token: string): string {
  const [, claims = token, signature = token] = token.split('.');
  secrets.set(what, token);
  if (claims.length > 20) secrets.set(`${what}: its claims`, claims);
  if (signature.length > 20) secrets.set(`${what}: its signature`, signature);
  return token;
}

const tokenOf = (what: string, audience: string = did, by: Identity = root): string =>
  secret(what, createToken({ issuer: by, audience, att: ALL }));

beforeAll(async () => {
  collector = await startOtlpReceiver();
  gateway = await startGatewayProcess(
    folder.path,
    [
      ...['--log-level', 'debug', '--security-capabilities', 'required'],
      ...['--security-trusted-issuers', root.did, '--stores', '{"default":{"engine":"memory"}}'],
    ],
    {
      ESDB_GATER_SECURITY_HMAC_SECRET: HMAC_SECRET,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_METRIC_EXPORT_INTERVAL: '500',
      OTEL_LOG_LEVEL: 'debug',
    },
  );
  did = (JSON.parse(gateway.log.find((line) => line.includes('"listening"')) ?? '{}') as { did: string }).did;
  secrets.set('the HMAC secret', HMAC_SECRET);
  secrets.set('the cluster secret', CLUSTER_SECRET);
  const identity = JSON.parse(readFileSync(join(folder.path, 'identity.json'), 'utf8')) as { d: string };
  secrets.set("the gateway's private key", identity.d);
}, 60_000);
afterAll(async () => {
  await gateway.stop();
  await collector.close();
  folder.remove();
});

const stream = '/v1/stores/default/streams/s';
const append = { storeId: 'default', streamId: 's', events: [{ type: 't', data: 1 }] };

describe('T9: a token in a URL or a log', () => {
  test('is not accepted in the query of a URL, under any name', async () => {
    const token = tokenOf('a token in a URL');
    for (const name of ['token', 'access_token', 'authorization', 'Authorization', 'jwt', 'bearer', 'auth']) {
      const client = await rawConnect(`${gateway.url}?${name}=${token}`);
      expect(verdict(await client.call('getVersion', { storeId: 'default', streamId: 's' })), name).toBe(
        'unauthorized/capability_required',
      );
      await client.close();
      for (const path of ['/health', stream, `${stream}/events`, '/metrics', '/v1/channels']) {
        const answer = await rawHttp(gateway.http, 'GET', `${path}?${name}=${token}`);
        expect([401, 422], `${path} ${name}`).toContain(answer.status);
        expect(answer.text).not.toContain(token);
      }
    }
    for (const path of [`/v1/ws/${token}`, `/${token}`, `//${token}@x/v1/ws`]) {
      expect(await upgradeVerdict(gateway.http, 'x', path)).not.toBe('ok');
    }
  });

  test('is not accepted as a cookie, another header, a subprotocol or another scheme', async () => {
    const token = tokenOf('a token in another header');
    for (const headers of [
      { cookie: `token=${token}` },
      { 'x-authorization': `Bearer ${token}` },
      { 'x-access-token': token },
      { 'proxy-authorization': `Bearer ${token}` },
    ]) {
      const client = await rawConnect(gateway.url, { headers });
      expect(verdict(await client.call('getVersion', { storeId: 'default', streamId: 's' }))).toBe(
        'unauthorized/capability_required',
      );
      await client.close();
      expect((await fetch(gateway.http + stream, { headers })).status).toBe(401);
    }
    await expect(rawConnect(gateway.url, { protocols: [`bearer.${token}`] })).rejects.toThrow('400');
    for (const scheme of ['Basic', 'Token', 'JWT', '']) {
      const headers = { authorization: `${scheme} ${token}`.trim() };
      await expect(rawConnect(gateway.url, { headers })).rejects.toThrow('401');
      expect((await fetch(gateway.http + stream, { headers })).status).toBe(401);
    }
  });

  test('tokens in every way in, good ones and bad ones, leave no trace', async () => {
    const good = tokenOf('a token in the upgrade request');
    const client = await rawConnect(gateway.url, bearer(good));
    expect(verdict(await client.call('appendEvents', append))).toBe('ok');
    const own = tokenOf("a single call's token");
    expect(verdict(await client.call('appendEvents', { ...append, token: own }))).toBe('ok');
    const presented = tokenOf('a token with a proof', agent.did);
    const proof = createProof(agent, did, client.hello['nonce'] as string);
    secrets.set('a proof', proof);
    expect(verdict(await client.call('authenticate', { token: presented, proof }))).toBe('ok');
    const wrongProof = createProof(root, did, client.hello['nonce'] as string);
    secrets.set('a wrong proof', wrongProof);
    await client.call('authenticate', { token: presented, proof: wrongProof });

    const now = Math.floor(Date.now() / 1_000);
    const bad = [
      tokenOf('a minted token', did, Identity.generate()),
      tokenOf('a token for another', Identity.generate().did),
      secret('an expired token', forge(claimsFor(did, { iat: now - 120, exp: now - 10 }))),
      secret('a token with a claim too many', forge(claimsFor(did, { sub: 'x' }))),
      secret('a token with another header', forge(claimsFor(did), { header: { alg: 'none' } })),
      secret('a token of odd grants', forge(claimsFor(did, { att: [{ with: 'esdb://x', can: '*' }] }))),
      secret('a giant token', forge(claimsFor(did, { fct: { x: 'y'.repeat(14_000) } }))),
      secret('a wide delegation', wide()),
      secret('an invalid token', base64url(crypto.randomUUID().repeat(3))),
      secret('a cut token', tokenOf('a token to be cut').slice(0, -9)),
    ];
    for (const token of bad) {
      await upgradeVerdict(gateway.http, token);
      expect(verdict(await client.call('authenticate', { token }))).not.toBe('ok');
      expect(verdict(await client.call('appendEvents', { ...append, token }))).not.toBe('ok');
      for (const [method, path, body] of [
        ['GET', '/health', undefined],
        ['GET', '/metrics', undefined],
        ['GET', `${stream}/events`, undefined],
        ['POST', `${stream}/events`, { events: append.events }],
        ['GET', '/v1/channels/system/messages?topic=a', undefined],
        ['POST', '/v1/channels/system/messages', { topic: 'a', message: 1, token }],
      ] as const) {
        const answer = await rawHttp(gateway.http, method, path, { token, body });
        expect(answer.verdict, path).not.toBe('ok');
        for (const part of token.split('.').filter((one) => one.length > 20)) {
          expect(answer.text).not.toContain(part);
        }
      }
    }

    // Failures for other reasons with a valid token, in errors that describe the problem.
    for (const [method, params] of [
      ['appendEvents', { ...append, storeId: 'nowhere', token: own }],
      ['appendEvents', { ...append, expectedVersion: 99, token: own }],
      ['noSuchMethod', { token: own }],
      ['getVersion', { token: own, streamId: own }],
      ['getVersion', { storeId: own, streamId: 's' }],
      ['publish', { channel: own, topic: own, message: own }],
      ['authenticate', { token: own, proof: own }],
      ['authenticate', { token: { own } }],
      ['publish', { channel: 'alerts', topic: 'a', message: { a: 1 }, token: own }],
    ] as const) {
      await client.call(method, params);
      client.send({ jsonrpc: '2.0', method, params });
    }
    client.send(`{"jsonrpc":"2.0","id":1,"method":"authenticate","params":{"token":"${own}"`);
    client.send([{ jsonrpc: '2.0', method: 'authenticate', params: [own] }, own]);
    await client.call('health');
    client.socket.send(Buffer.from(own));
    expect((await client.closed).code).toBe(1003);
  });

  test('a revocation, a worker, a stream of events and a command of the command line leave none, either', async () => {
    const worker = await rawConnect(gateway.url, bearer(tokenOf("a worker's token")));
    await worker.call('registerWorker', { storeId: 'mine' });
    worker.serve(() => ({
      error: { code: -32_000, message: tokenOf('a token in a worker error'), data: {} },
    }));
    await worker.call('getVersion', { storeId: 'mine', streamId: 's' });
    const followed = tokenOf('a token of server-sent events');
    const response = await fetch(`${gateway.http}/v1/channels/system/messages?topic=a`, bearer(followed));
    const caller = await rawConnect(gateway.url);
    for (const token of [followed, tokenOf('another revoked token')]) {
      const revocation = createRevocation(root, { cid: tokenId(token) });
      expect(verdict(await caller.call('revokeToken', revocation))).toBe('ok');
    }
    await response.text();
    const cli = tokenOf('a token of the command line');
    for (const args of [
      ['append', 's', '--type', 't', '--data', '1'],
      ['read', 'nothing-there'],
      ['publish', 'nowhere', 'a', '1'],
    ]) {
      const env = { ESDB_GATER_TOKEN: cli, ESDB_GATER_URL: gateway.url };
      const { stdout, stderr } = await runCli(args, { env });
      expect(stdout + stderr).not.toContain(cli.slice(-40));
    }
    await worker.close();
    await caller.close();
  }, 60_000);

  test('a start that is refused because of a secret does not reveal it', async () => {
    const env = { ESDB_GATER_CLUSTER_SECRET: CLUSTER_SECRET, ESDB_GATER_CLUSTER_DISCOVERY: 'static' };
    const { code, stdout, stderr } = await runCli(['start', '--data-dir', folder.path], { env });
    expect([code, stderr]).toEqual([1, expect.stringContaining('`security.hmacSecret` must be set')]);
    expect(stdout + stderr).not.toContain(CLUSTER_SECRET);
  });

  test('no token, proof, key or secret is in all that the gateway logged', async () => {
    await gateway.stop();
    output = gateway.log.join('\n');
    expect(gateway.log.length).toBeGreaterThan(20);
    expect(output).toContain('"level":20');
    expect(secrets.size).toBeGreaterThan(40);
    for (const [what, text] of secrets) expect(output.includes(text), what).toBe(false);
  });

  test('is not in any exported span or metric', () => {
    expect(collector.spans.length).toBeGreaterThan(20);
    const exported = collector.bodies.map(({ bytes }) => bytes.toString('latin1')).join('\n');
    for (const [what, text] of secrets) expect(exported.includes(text), what).toBe(false);
  });
});

function wide(): string {
  const parent = createToken({
    issuer: root,
    audience: agent.did,
    att: [{ with: 'esdb://default/stream/*', can: 'stream/read' }],
  });
  return forgeChild(parent, agent, did, ALL);
}
