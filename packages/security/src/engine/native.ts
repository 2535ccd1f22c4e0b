import type { Engine, HmacKey } from './engine.ts';
import type { NativeModule } from './native-module.ts';

class NativeHmacKey implements HmacKey {
  readonly #native: NativeModule;
  readonly #id: number;
  readonly #forgotten: FinalizationRegistry<number>;

  constructor(native: NativeModule, forgotten: FinalizationRegistry<number>, key: Uint8Array) {
    this.#native = native;
    this.#id = native.createHmacKey(key);
    this.#forgotten = forgotten;
    forgotten.register(this, this.#id, this);
  }

  mac(data: Uint8Array): Uint8Array {
    return this.#native.hmacSha256(this.#id, data);
  }

  macMany(list: readonly Uint8Array[]): Uint8Array[] {
    return this.#native.hmacSha256Many(this.#id, list);
  }

  macText(text: string): string {
    return this.#native.signMessage(this.#id, text);
  }

  verifyText(text: string, signature: string): boolean {
    return this.#native.verifyMessage(this.#id, text, signature);
  }

  close(): void {
    if (this.#forgotten.unregister(this)) this.#native.releaseHmacKey(this.#id);
  }
}

/**
 * Runs on the addon. Its key states live outside the heap, in a bounded table: one that was not closed is
 * released when its object is collected, and a table that is full leaves the work to `fallback`.
 */
export function createNativeEngine(native: NativeModule, fallback: Engine): Engine {
  const forgotten = new FinalizationRegistry<number>((id) => void native.releaseHmacKey(id));
  return Object.freeze({
    name: 'native',
    version: native.version,
    base58Encode: (bytes) => native.base58Encode(bytes),
    base58Decode: (text) => {
      try {
        return native.base58Decode(text);
      } catch {
        return undefined;
      }
    },
    sha256: fallback.sha256,
    createHmacKey: (key) => {
      try {
        return new NativeHmacKey(native, forgotten, key);
      } catch {
        return fallback.createHmacKey(key);
      }
    },
    createSigner: (seed) => {
      const kept = seed.slice();
      return {
        publicKey: native.ed25519PublicKey(kept),
        sign: (data) => native.ed25519Sign(kept, data),
      };
    },
    ed25519Verify: (publicKey, data, signature) => native.ed25519Verify(publicKey, data, signature),
    verifyJwt: (token, signer) => native.verifyToken(token, signer.did),
  } satisfies Engine);
}

const EMPTY: Uint8Array = new Uint8Array();

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/**
 * Asks both engines the same few questions, once, before the addon is trusted.
 *
 * @throws Error that names the answer that differs
 */
export function checkNativeEngine(engine: Engine, reference: Engine): void {
  const data = Uint8Array.from({ length: 80 }, (_, i) => (i * 7) & 0xff);
  const seed = data.subarray(8, 40);
  const [signer, expected] = [engine.createSigner(seed), reference.createSigner(seed)];
  const [key, expectedKey] = [engine.createHmacKey(seed), reference.createHmacKey(seed)];
  const signature = expected.sign(data);
  const forged = signature.slice();
  forged[40] = (forged[40] ?? 0) ^ 1;
  const answers: readonly (readonly [string, boolean])[] = [
    ['base58Encode', engine.base58Encode(data) === reference.base58Encode(data)],
    ['base58Decode', same(engine.base58Decode(reference.base58Encode(data)) ?? EMPTY, data)],
    ['hmacSha256', same(key.mac(data), expectedKey.mac(data))],
    ['signMessage', key.macText('é\u{1f600}') === expectedKey.macText('é\u{1f600}')],
    ['ed25519PublicKey', same(signer.publicKey, expected.publicKey)],
    ['ed25519Sign', same(signer.sign(data), signature)],
    ['ed25519Verify', engine.ed25519Verify(expected.publicKey, data, signature)],
    ['ed25519Verify of a forgery', !engine.ed25519Verify(expected.publicKey, data, forged)],
  ];
  key.close();
  expectedKey.close();
  const wrong = answers.find(([, right]) => !right);
  if (wrong !== undefined) throw new Error(`its answer to ${wrong[0]} is wrong`);
}
