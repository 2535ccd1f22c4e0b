import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRevocation, createToken, delegateToken, Identity, sign, tokenId } from '@esdb-gater/security';
import { compactVerify, importJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGatewayProcess, temporaryFolder } from '../support/gateway-process.ts';
import type { TestGateway } from '../support/in-process.ts';
import { type RawClient, rawConnect } from '../support/raw-client.ts';
import {
  ALL,
  base64url,
  bearer,
  claimsFor,
  everyDoor,
  forge,
  forgeChild,
  root,
  startGuarded,
  tokenFor,
  verdict,
} from './support.ts';

const SECRET = 'h\u00e9 \u{1f511}';

let gateway: TestGateway;
let client: RawClient;
/** Has no token. */
let stranger: RawClient;
beforeAll(async () => {
  gateway = await startGuarded({ 'security-hmac-secret': SECRET });
  client = await rawConnect(gateway.url, bearer(tokenFor(gateway.did)));
  stranger = await rawConnect(gateway.url);
});
afterAll(() => gateway.close());

const everywhere = (reason: string): string[] => Array(4).fill(`unauthorized/${reason}`) as string[];

describe('capability tokens, never again', () => {
  test('anybody issuing himself `*` on `*`', async () => {
    const anybody = Identity.generate();
    const minted = createToken({ issuer: anybody, audience: gateway.did, att: ALL });
    expect(await everyDoor(gateway, stranger, minted)).toEqual(everywhere('untrusted_root'));
    const toHimself = createToken({ issuer: anybody, audience: anybody.did, att: ALL });
    const handedOn = delegateToken(toHimself, { issuer: anybody, audience: gateway.did, att: ALL });
    expect(await everyDoor(gateway, stranger, handedOn)).toEqual(everywhere('untrusted_root'));
  });

  test('proof chains and audiences never checked', async () => {
    const [alice, bob] = [Identity.generate(), Identity.generate()];
    const narrow = [{ with: 'esdb://default/stream/default/users-*', can: 'stream/read' }];
    const forAlice = createToken({ issuer: root, audience: alice.did, att: narrow });
    const by = (issuer: Identity, att: typeof narrow | typeof ALL, audience = gateway.did) =>
      forgeChild(forAlice, issuer, audience, att);
    expect(await everyDoor(gateway, stranger, by(alice, ALL))).toEqual(everywhere('invalid_delegation'));
    expect(await everyDoor(gateway, stranger, by(bob, narrow))).toEqual(everywhere('invalid_delegation'));
    expect(await everyDoor(gateway, stranger, by(alice, narrow, bob.did))).toEqual(
      everywhere('wrong_audience'),
    );
    expect(await everyDoor(gateway, stranger, by(alice, narrow))).toEqual(['ok', 'ok', 'ok', 'ok']);
  });

  test('the longest lifetime not enforced', async () => {
    const now = Math.floor(Date.now() / 1_000);
    const lasting = (seconds: number) => forge(claimsFor(gateway.did, { iat: now, exp: now + seconds }));
    expect(await everyDoor(gateway, stranger, lasting(86_400))).toEqual(['ok', 'ok', 'ok', 'ok']);
    for (const seconds of [86_401, 604_800, 3_153_600_000, 59]) {
      expect(await everyDoor(gateway, stranger, lasting(seconds)), String(seconds)).toEqual(
        everywhere('parse_error'),
      );
    }
    const { exp: _, ...endless } = claimsFor(gateway.did);
    expect(await everyDoor(gateway, stranger, forge(endless))).toEqual(everywhere('parse_error'));
  });

  test('revocation that is a stub', async () => {
    const token = tokenFor(gateway.did);
    const victim = await rawConnect(gateway.url, bearer(token));
    const revocation = createRevocation(root, { cid: tokenId(token) });
    expect(verdict(await client.call('revokeToken', revocation))).toBe('ok');
    expect((await victim.closed).code).toBe(4403);
    const one = await rawConnect(gateway.url);
    expect(await everyDoor(gateway, one, token)).toEqual(everywhere('revoked'));
    await one.close();
  });

  test('calls without a token passing in `required`', async () => {
    const one = await rawConnect(gateway.url);
    const { methods } = one.hello as { methods: string[] };
    expect(methods.length).toBeGreaterThan(20);
    for (const method of methods.filter((name) => name !== 'authenticate' && name !== 'revokeToken')) {
      expect(verdict(await one.call(method, {})), method).toBe('unauthorized/capability_required');
    }
    await one.close();
  });

  test('a signature that no JWT library can check', async () => {
    const token = tokenFor(gateway.did);
    const x = Buffer.from(root.publicKey).toString('base64url');
    const jwk = { kty: 'OKP', crv: 'Ed25519', x };
    const { payload, protectedHeader } = await compactVerify(token, await importJWK(jwk, 'EdDSA'));
    expect(protectedHeader.alg).toBe('EdDSA');
    expect(JSON.parse(Buffer.from(payload).toString())).toMatchObject({ iss: root.did, aud: gateway.did });
    // And the reverse: the gateway accepts a token that such a library created.
    const seed = Buffer.from(new Uint8Array(32).fill(9));
    const made = Identity.fromSeed(seed);
    const trusting = await startGuarded({ 'security-trusted-issuers': made.did });
    const key = await importJWK(
      { ...jwk, x: Buffer.from(made.publicKey).toString('base64url'), d: seed.toString('base64url') },
      'EdDSA',
    );
    const theirs = await new SignJWT(claimsFor(trusting.did, { iss: made.did }))
      .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', ucv: '0.9.1' })
      .sign(key);
    const one = await rawConnect(trusting.url);
    expect(await everyDoor(trusting, one, theirs)).toEqual(['ok', 'ok', 'ok', 'ok']);
    await trusting.close();
  });

  test.skipIf(process.platform !== 'linux')(
    'a small token that makes the decoder allocate 200 MB',
    async () => {
      const folder = temporaryFolder();
      const small = await startGatewayProcess(folder.path, [
        ...['--security-capabilities', 'required', '--stores', '{"default":{"engine":"memory"}}'],
      ]);
      const peakMb = (): number =>
        Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${small.pid}/status`, 'utf8'))?.[1]) / 1_024;
      const one = await rawConnect(small.url);
      const did = one.hello['gatewayDid'] as string;
      await one.call('authenticate', { token: tokenFor(did) });
      const before = peakMb();
      const digits = `did:key:z${'1'.repeat(11_000)}`;
      const letters = `did:key:z${'z'.repeat(11_000)}`;
      const hostile = [
        forge(claimsFor(did, { iss: digits })),
        forge(claimsFor(did, { iss: letters })),
        forge(claimsFor(did, { aud: letters })),
        forge(`{"fct":${'['.repeat(5_900)}${']'.repeat(5_900)}}`),
        forge(`{"fct":${'{"a":'.repeat(2_300)}`),
        forge(claimsFor(did, { prf: Array(3_000).fill('') })),
        forge(claimsFor(did, { att: [{ with: `esdb://${'%41/'.repeat(2_700)}*`, can: '*' }] })),
        `${base64url('{'.repeat(12_000))}.${'A'.repeat(200)}.${'A'.repeat(86)}`,
        `${'A'.repeat(16_000)}.A.A`,
      ];
      for (const token of hostile) {
        expect(token.length).toBeLessThan(16_384);
        // The time limit of the test allows 100 ms for each of these calls.
        for (let i = 0; i < 60; i++) {
          expect(verdict(await one.call('authenticate', { token }))).toMatch(
            /^unauthorized\/(parse_error|invalid_)/,
          );
        }
      }
      expect(peakMb() - before).toBeLessThan(100);
      await small.stop();
      folder.remove();
    },
    60_000,
  );
});

describe('message signatures, never again', () => {
  const publish = async (message: unknown, topic = 'disk.full', channel = 'alerts') =>
    verdict(await client.call('publish', { channel, topic, message }));
  const bound = { secret: SECRET, channel: 'alerts', topic: 'disk.full' };

  test('an unsigned binary form that differs between runtimes', async () => {
    // Another runtime signs the documented bytes, and this one accepts the signature.
    const python = `
import base64, hashlib, hmac, json, os, sys, time
secret, channel, topic = sys.argv[1:4]
b64 = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode()
message = {"z": 1, "a": {"\\u00e9": "\\u20ac \\U0001f600 \\"\\\\ /", "B": [1, True, None, "x"]}, "10": -7, "9": "",
           "signed_at": int(time.time()), "nonce": b64(os.urandom(12)), "key_id": "default"}
jcs = json.dumps(message, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
text = "esdb-gater/1\\n%s\\n%s\\n%s" % (channel, topic, jcs)
message["signature"] = b64(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())
print(json.dumps(message))
`;
    expect(spawnSync('python3', ['--version']).status, 'python3 is needed here').toBe(0);
    const output = execFileSync('python3', ['-c', python, SECRET, 'alerts', 'disk.full'], {
      encoding: 'utf8',
    });
    const message = JSON.parse(output) as object;
    expect(await publish({ ...message, z: 2 })).toBe('invalid_signature/mismatch');
    expect(await publish(message)).toBe('ok');
  });

  test('replay on another topic', async () => {
    const message = sign({ a: 1 }, bound);
    expect(await publish(message)).toBe('ok');
    expect(await publish(message, 'disk.gone')).toBe('invalid_signature/mismatch');
    expect(await publish(message, 'disk.full', 'security')).toBe('invalid_signature/mismatch');
    expect(await publish(message)).toBe('invalid_signature/replayed');
  });

  test('a clock 2 s ahead refused', async () => {
    const now = (seconds: number) => new Date(Date.now() + seconds * 1_000);
    for (const ahead of [2, 30, 58]) {
      expect(await publish(sign({ ahead }, { ...bound, now: now(ahead) }))).toBe('ok');
    }
    expect(await publish(sign({}, { ...bound, now: now(62) }))).toBe('invalid_signature/expired');
  });

  test('signing a signed message breaking it', async () => {
    const once = sign({ a: 1 }, bound);
    const twice = sign(sign(once, bound), bound);
    expect(Object.keys(twice).sort()).toEqual(Object.keys(once).sort());
    expect(twice.nonce).not.toBe(once.nonce);
    expect(await publish(twice)).toBe('ok');
    expect(await publish(once)).toBe('ok');
  });
});
