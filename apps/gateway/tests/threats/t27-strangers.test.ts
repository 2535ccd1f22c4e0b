import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
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
import { expect, test } from 'vitest';
import { rawConnect } from '../support/raw-client.ts';
import { ALL, bearer, rawHttp, root, startGuarded, tokenFor, verdict } from './support.ts';

const STRANGERS = 10_000;

test("10 000 strangers' revocations cost little, and nobody else's is refused [R3] [T27]", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'esdb-gater-t27-'));
  const gateway = await startGuarded({}, { dataDir });
  const watcher = await rawConnect(gateway.url, bearer(tokenFor(gateway.did)));
  await watcher.call('subscribe', { channel: 'security', topic: '*.revoked' });

  const delegator = Identity.generate();
  const parent = createToken({ issuer: root, audience: delegator.did, att: ALL });
  const child = (): string => delegateToken(parent, { issuer: delegator, audience: gateway.did, att: ALL });
  const [used, unused] = [child(), child()];
  const holder = await rawConnect(gateway.url, bearer(used));

  // Each with its own key; half revoke an unknown token, half revoke themselves.
  const attacker = await rawConnect(gateway.url);
  const revocations = Array.from({ length: STRANGERS }, (_, i) => {
    const stranger = Identity.generate();
    return createRevocation(stranger, i % 2 === 0 ? { cid: tokenId(`${i}`) } : { iss: stranger.did });
  });
  const cpu = process.cpuUsage();
  const answers: string[] = [];
  let retryAfterMs: unknown;
  for (let i = 0; i < STRANGERS; i += 100) {
    const wave = revocations.slice(i, i + 100);
    for (const answer of await Promise.all(wave.map((one) => attacker.call('revokeToken', one)))) {
      answers.push(verdict(answer));
      retryAfterMs ??= answer.error?.data['retryAfterMs'];
    }
  }
  const { user, system } = process.cpuUsage(cpu);
  const taken = answers.filter((answer) => answer === 'ok').length;
  expect(new Set(answers)).toEqual(new Set(['ok', 'rate_limited']));
  expect(taken).toBeGreaterThanOrEqual(30);
  expect(taken).toBeLessThan(100);
  expect(retryAfterMs).toBeGreaterThan(0);
  const file = join(dataDir, 'revocations.ndjson');
  expect(statSync(file).size).toBeLessThan(100 * 600);
  expect(watcher.notices.filter(({ method }) => method === 'message').length).toBeLessThanOrEqual(taken);
  console.log(
    `${STRANGERS} revocations by strangers: ${taken} kept, ${statSync(file).size} bytes, ` +
      `${Math.round((user + system) / 1_000)} ms of CPU with the sender's part`,
  );

  // An issuer whose tokens are in use here, from the same address and without a token.
  expect(
    verdict(await attacker.call('revokeToken', createRevocation(delegator, { cid: tokenId(used) }))),
  ).toBe('ok');
  expect((await holder.closed).code).toBe(4403);
  expect(
    verdict(await attacker.call('revokeToken', createRevocation(delegator, { cid: tokenId(unused) }))),
  ).toBe('ok');
  // An issuer without tokens in use, which presents the token that allows it to issue.
  const other = Identity.generate();
  const own = createToken({ issuer: root, audience: other.did, att: ALL });
  const authenticated = await rawConnect(gateway.url);
  const proof = createProof(other, gateway.did, String(authenticated.hello['nonce']));
  expect(verdict(await authenticated.call('authenticate', { token: own, proof }))).toBe('ok');
  const given = delegateToken(own, { issuer: other, audience: gateway.did, att: ALL });
  const ofGiven = createRevocation(other, { cid: tokenId(given) });
  expect((await rawHttp(gateway.http, 'POST', '/v1/revocations', { body: ofGiven })).verdict).toBe('ok');
  // A root. A stranger's revocation is refused before its proof is checked.
  expect(verdict(await attacker.call('revokeToken', createRevocation(root, { cid: tokenId('x') })))).toBe(
    'ok',
  );

  // Repeating a revocation of others does not publish it again.
  const before = watcher.notices.length;
  const again = await Promise.all(Array.from({ length: 200 }, () => attacker.call('revokeToken', ofGiven)));
  expect(new Set(again.map((answer) => JSON.stringify(answer.result))).size).toBe(1);
  await watcher.call('health');
  expect(watcher.notices.length).toBe(before);

  await gateway.close();
  const restarted = await startGuarded({}, { dataDir });
  const late = await rawConnect(restarted.url);
  for (const token of [used, unused, given]) {
    expect(verdict(await late.call('health', { token }))).toBe('unauthorized/revoked');
  }
  await restarted.close();
  expect(readFileSync(file, 'utf8').trimEnd().split('\n').length).toBe(taken + 4);
  rmSync(dataDir, { recursive: true });
});
