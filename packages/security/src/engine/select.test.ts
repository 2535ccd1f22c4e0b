import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { typescriptEngine } from '../platform/node.ts';
import { checkNativeEngine, createNativeEngine } from './native.ts';
import { asNativeModule, type NativeModule } from './native-module.ts';
import { engine, engineDetails, replaceEngine } from './select.ts';

beforeEach(() => replaceEngine(undefined));
afterEach(() => {
  vi.unstubAllEnvs();
  replaceEngine(undefined);
});

/** A fake addon in TypeScript. */
function fakeModule(): NativeModule & {
  readonly held: Map<number, ReturnType<typeof typescriptEngine.createHmacKey>>;
} {
  const held = new Map<number, ReturnType<typeof typescriptEngine.createHmacKey>>();
  const keyOf = (id: number): ReturnType<typeof typescriptEngine.createHmacKey> => {
    const key = held.get(id);
    if (key === undefined) throw new RangeError('no such key');
    return key;
  };
  let next = 1;
  return {
    held,
    version: '9.9.9',
    base58Encode: typescriptEngine.base58Encode,
    base58Decode: (text) => {
      const bytes = typescriptEngine.base58Decode(text);
      if (bytes === undefined) throw new SyntaxError('no Base58');
      return bytes;
    },
    createHmacKey: (key) => {
      if (held.size === 3) throw new RangeError('full');
      held.set(next, typescriptEngine.createHmacKey(key));
      return next++;
    },
    releaseHmacKey: (id) => held.delete(id),
    hmacSha256: (id, data) => keyOf(id).mac(data),
    hmacSha256Many: (id, list) => keyOf(id).macMany(list),
    ed25519PublicKey: (seed) => typescriptEngine.createSigner(seed).publicKey,
    ed25519Sign: (seed, data) => typescriptEngine.createSigner(seed).sign(data),
    ed25519Verify: typescriptEngine.ed25519Verify,
    verifyToken: () => true,
    signMessage: (id, text) => keyOf(id).macText(text),
    verifyMessage: (id, text, signature) => keyOf(id).verifyText(text, signature),
  };
}

describe('engine', () => {
  test('is TypeScript when ESDB_GATER_ENGINE says so, with the reason', () => {
    vi.stubEnv('ESDB_GATER_ENGINE', 'typescript');
    expect(engine()).toBe('typescript');
    expect(engineDetails()).toEqual({
      name: 'typescript',
      reason: expect.stringContaining('ESDB_GATER_ENGINE'),
    });
  });

  test('refuses an unknown engine', () => {
    vi.stubEnv('ESDB_GATER_ENGINE', 'wasm');
    expect(engine).toThrow(expect.objectContaining({ code: 'invalid_argument', reason: 'engine' }));
  });

  test('never again: a native module that can never load (the error is reported)', () => {
    vi.stubEnv('ESDB_GATER_ENGINE', undefined);
    const details = engineDetails();
    if (details.name === 'native') expect(details.version).toMatch(/^\d+\.\d+\.\d+/);
    else expect(details.reason).toMatch(/@esdb-gater\/native cannot be used: ./);
  });
});

describe('the native engine', () => {
  test('is refused when it lacks an export, by the name of that', () => {
    const { ed25519Sign: _, ...rest } = fakeModule();
    expect(() => asNativeModule(rest)).toThrow(/"ed25519Sign"/);
    expect(() => asNativeModule({ ...fakeModule(), version: undefined })).toThrow(/"version"/);
    for (const nothing of [undefined, null, 1])
      expect(() => asNativeModule(nothing)).toThrow(/exports nothing/);
  });

  test('is refused when one answer is wrong, by the name of that', () => {
    const good = fakeModule();
    expect(() =>
      checkNativeEngine(createNativeEngine(good, typescriptEngine), typescriptEngine),
    ).not.toThrow();
    expect(good.held.size).toBe(0);
    const wrong: readonly Partial<NativeModule>[] = [
      { base58Encode: () => 'x' },
      { base58Decode: () => new Uint8Array(80) },
      { hmacSha256: () => new Uint8Array(32) },
      { signMessage: () => '' },
      { ed25519PublicKey: () => new Uint8Array(32) },
      { ed25519Sign: () => new Uint8Array(64) },
      { ed25519Verify: () => true },
      { ed25519Verify: () => false },
    ];
    for (const change of wrong) {
      const engine = createNativeEngine({ ...fakeModule(), ...change }, typescriptEngine);
      expect(() => checkNativeEngine(engine, typescriptEngine)).toThrow(Object.keys(change)[0]);
    }
  });

  test('releases a key once, and works in TypeScript when its table is full', () => {
    const native = fakeModule();
    const engine = createNativeEngine(native, typescriptEngine);
    const data = new Uint8Array(3);
    const keys = [1, 2, 3, 4].map((byte) => engine.createHmacKey(Uint8Array.of(byte)));
    expect(native.held.size).toBe(3);
    expect(keys.map((key) => key.mac(data))).toEqual(
      [1, 2, 3, 4].map((byte) => typescriptEngine.createHmacKey(Uint8Array.of(byte)).mac(data)),
    );
    keys[0]?.close();
    keys[0]?.close();
    expect(native.held.size).toBe(2);
  });
});
