import { createRequire } from 'node:module';
import { fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { parseDidKey } from '../did-key.ts';
import { Identity } from '../identity.ts';
import { typescriptEngine as browserEngine } from '../platform/browser.ts';
import { typescriptEngine as nodeEngine, requireNative } from '../platform/node.ts';
import { createToken } from '../tokens/create-token.ts';
import { parseToken } from '../tokens/parse.ts';
import { isStrictPoint, isStrictSignature } from './ed25519-strict.ts';
import type { Engine } from './engine.ts';
import { checkNativeEngine, createNativeEngine } from './native.ts';
import { asNativeModule } from './native-module.ts';

/** The addon, installed or built beside this package. */
function loadNative(): Engine | undefined {
  for (const load of [requireNative, () => createRequire(import.meta.url)('../../../../native/main.js')]) {
    try {
      return createNativeEngine(asNativeModule(load()), nodeEngine);
    } catch {
      // Try the next path; the title of the skipped suite says that all failed.
    }
  }
  return undefined;
}

const found = loadNative();
const title = found === undefined ? ' (SKIPPED: @esdb-gater/native is neither installed nor built)' : '';

const bytes = fc.uint8Array({ maxLength: 300 });
const text = fc.string({ unit: 'grapheme', maxLength: 300 });
const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe.skipIf(found === undefined)(`native and TypeScript engines${title}`, () => {
  const native = found ?? nodeEngine;
  const engines = [native, nodeEngine, browserEngine];

  /** Expects the same answer of all engines, and returns it. */
  function agree<Answer>(ask: (engine: Engine) => Answer): Answer {
    const [first, ...others] = engines.map(ask);
    for (const other of others) expect(other).toEqual(first);
    return first as Answer;
  }

  test('passes its own check', () => {
    expect(() => checkNativeEngine(native, nodeEngine)).not.toThrow();
  });

  test('encode and decode Base58 alike', () => {
    const anything = fc.string({ unit: fc.constantFrom(...'123abcXYZ0OIl é\u0141'), maxLength: 60 });
    fc.assert(
      fc.property(fc.nat(40), bytes, anything, (zeros, rest, wild) => {
        const data = Uint8Array.of(...new Uint8Array(zeros), ...rest);
        const encoded = agree((engine) => engine.base58Encode(data));
        expect(agree((engine) => engine.base58Decode(encoded))).toEqual(data);
        agree((engine) => engine.base58Decode(wild));
      }),
    );
  });

  test('compute MACs alike', () => {
    fc.assert(
      fc.property(bytes, fc.array(bytes, { maxLength: 4 }), text, (key, list, message) => {
        agree((engine) => {
          const prepared = engine.createHmacKey(key);
          const signature = prepared.macText(message);
          const answers = {
            list: prepared.macMany(list),
            each: list.map((data) => prepared.mac(data)),
            signature,
            good: prepared.verifyText(message, signature),
            bad: prepared.verifyText(`${message}x`, signature),
          };
          prepared.close();
          return answers;
        });
      }),
    );
  });

  test('sign and verify alike', () => {
    fc.assert(
      fc.property(seed, bytes, fc.nat(511), (secret, data, bit) => {
        const publicKey = agree((engine) => engine.createSigner(secret).publicKey);
        const signature = agree((engine) => engine.createSigner(secret).sign(data));
        expect(agree((engine) => engine.ed25519Verify(publicKey, data, signature))).toBe(true);
        const flipped = signature.slice();
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        if (isStrictSignature(flipped)) {
          expect(agree((engine) => engine.ed25519Verify(publicKey, data, flipped))).toBe(false);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('judge arbitrary keys and signatures alike', () => {
    const half = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(half, half, half, bytes, (publicKey, r, s, data) => {
        const signature = Uint8Array.of(...r, ...s);
        fc.pre(isStrictPoint(publicKey) && isStrictSignature(signature));
        agree((engine) => engine.ed25519Verify(publicKey, data, signature));
      }),
      { numRuns: 40 },
    );
  });

  test('judge tokens alike', () => {
    const issuer = Identity.generate();
    const token = createToken({ issuer, audience: issuer.did, att: [{ with: '*', can: '*' }] });
    const publicKey = parseDidKey(issuer.did) ?? new Uint8Array();
    const { signature } = parseToken(token);
    const ask = (jwt: string): boolean =>
      agree((engine) => engine.verifyJwt(jwt, { did: issuer.did, publicKey }, signature));
    expect(ask(token)).toBe(true);
    for (const at of [0, 20, 60, 200, token.lastIndexOf('.') - 10]) {
      if (token[at] === '.') continue;
      expect(ask(token.slice(0, at) + (token[at] === 'A' ? 'E' : 'A') + token.slice(at + 1))).toBe(false);
    }
  });
});
