import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  hash,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import { createRequire } from 'node:module';
import { type Base58Codec, createBase58 } from '../encoding/base58.ts';
import type { Engine, HmacKey, Signer } from '../engine/engine.ts';
import { LruMap } from '../lru-map.ts';

const base58: Base58Codec = createBase58((bytes, start, end) =>
  Buffer.prototype.latin1Slice.call(bytes, start, end),
);

/** Encodes bytes as base64url without padding. */
export function toBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}

/** Decodes canonical base64url without padding; returns `undefined` for any other string. */
export function fromBase64url(text: string): Uint8Array | undefined {
  // Node's decoder skips invalid characters; encoding the result again shows whether it skipped any.
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

/** Returns the value of `ESDB_GATER_ENGINE`, if any. */
export function wantedEngine(): string | undefined {
  return process.env['ESDB_GATER_ENGINE'];
}

/** Loads the optional addon. Synchronous, as all exports are. @throws the error of loading */
export function requireNative(): unknown {
  return createRequire(import.meta.url)('@esdb-gater/native');
}

const BLOCK = 64;
const MAC_BYTES = 32;
/**
 * Up to this size two one-shot hashes over prepared buffers are two to three times as fast as `createHmac`, which
 * creates several objects. The hash is returned as a latin1 string, since a string costs a third of a new `Buffer`.
 */
const SCRATCH_BYTES = 4096;

function fromLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

class NodeHmacKey implements HmacKey {
  readonly #secret: KeyObject;
  /** The key's inner block, then room for data. */
  readonly #inner: Buffer = Buffer.alloc(BLOCK + SCRATCH_BYTES);
  /** The key's outer block, then the inner hash. */
  readonly #outer: Buffer = Buffer.alloc(BLOCK + MAC_BYTES);

  constructor(key: Uint8Array) {
    this.#secret = createSecretKey(key);
    const block = key.length > BLOCK ? hash('sha256', key, 'buffer') : key;
    for (let i = 0; i < BLOCK; i++) {
      this.#inner[i] = (block[i] ?? 0) ^ 0x36;
      this.#outer[i] = (block[i] ?? 0) ^ 0x5c;
    }
  }

  mac(data: Uint8Array): Uint8Array {
    if (data.length > SCRATCH_BYTES) {
      return fromLatin1(createHmac('sha256', this.#secret).update(data).digest('binary'));
    }
    this.#inner.set(data, BLOCK);
    this.#hashInner(data.length);
    return fromLatin1(hash('sha256', this.#outer, 'binary'));
  }

  macMany(list: readonly Uint8Array[]): Uint8Array[] {
    return list.map((data) => this.mac(data));
  }

  macText(text: string): string {
    // A UTF-16 unit becomes three bytes at most.
    if (text.length * 3 > SCRATCH_BYTES) {
      return createHmac('sha256', this.#secret).update(text, 'utf8').digest('base64url');
    }
    this.#hashInner(this.#inner.write(text, BLOCK, 'utf8'));
    return hash('sha256', this.#outer, 'base64url');
  }

  verifyText(text: string, signature: string): boolean {
    const wanted = Buffer.from(this.macText(text), 'latin1');
    const given = Buffer.from(signature, 'latin1');
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }

  close(): void {
    this.#inner.fill(0);
    this.#outer.fill(0);
  }

  #hashInner(size: number): void {
    this.#outer.write(hash('sha256', this.#inner.subarray(0, BLOCK + size), 'binary'), BLOCK, 'latin1');
  }
}

/** The DER bytes before the 32 bytes of a key (RFC 8410), as `node:crypto` expects them. */
const PKCS8_PREFIX: Uint8Array = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX: Uint8Array = Buffer.from('302a300506032b6570032100', 'hex');

function createSigner(seed: Uint8Array): Signer {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  const der = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return {
    publicKey: new Uint8Array(der.subarray(SPKI_PREFIX.length)),
    sign: (data) => new Uint8Array(sign(null, data, key)),
  };
}

/** Caches key objects: making one costs a fifth of a verification, and few keys sign most tokens. */
const publicKeys: LruMap<string, KeyObject> = new LruMap(1_000);

function publicKeyObject(publicKey: Uint8Array): KeyObject {
  const name = Buffer.prototype.latin1Slice.call(publicKey, 0, 32);
  const known = publicKeys.get(name);
  if (known !== undefined) return known;
  const made = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' });
  publicKeys.add(name, made);
  return made;
}

function ed25519Verify(publicKey: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(null, data, publicKeyObject(publicKey), signature);
  } catch {
    // OpenSSL refuses some keys that are not points of the curve with an error instead of an answer.
    return false;
  }
}

/** The engine in TypeScript over `node:crypto`. */
export const typescriptEngine: Engine = Object.freeze({
  name: 'typescript',
  base58Encode: base58.encode,
  base58Decode: base58.decode,
  sha256: (data) => fromLatin1(hash('sha256', data, 'binary')),
  createHmacKey: (key) => new NodeHmacKey(key),
  createSigner,
  ed25519Verify,
  verifyJwt: (token, signer, signature) =>
    ed25519Verify(signer.publicKey, Buffer.from(token.slice(0, token.lastIndexOf('.')), 'latin1'), signature),
} satisfies Engine);
