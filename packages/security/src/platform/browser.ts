import { ed25519 } from '@noble/curves/ed25519.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { type Base58Codec, createBase58 } from '../encoding/base58.ts';
import type { Engine, HmacKey, Signer } from '../engine/engine.ts';

const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const VALUE_OF: Uint8Array = new Uint8Array(128).fill(64);
for (let i = 0; i < CHARACTERS.length; i++) VALUE_OF[CHARACTERS.charCodeAt(i)] = i;

const utf8 = new TextEncoder();

const base58: Base58Codec = createBase58((bytes, start, end) => {
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i] ?? 0);
  return text;
});

/** Encodes bytes as base64url without padding. */
export function toBase64url(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const bits = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += (CHARACTERS[bits >> 18] ?? '') + (CHARACTERS[(bits >> 12) & 63] ?? '');
    if (i + 1 < bytes.length) text += CHARACTERS[(bits >> 6) & 63] ?? '';
    if (i + 2 < bytes.length) text += CHARACTERS[bits & 63] ?? '';
  }
  return text;
}

/** Decodes canonical base64url without padding; returns `undefined` for any other string. */
export function fromBase64url(text: string): Uint8Array | undefined {
  if (text.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let count = 0;
  let end = 0;
  for (let i = 0; i < text.length; i++) {
    const value = VALUE_OF[text.charCodeAt(i)] ?? 64;
    if (value === 64) return undefined;
    bits = ((bits << 6) | value) & 0xffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes[end++] = bits >> count;
    }
  }
  // The bits that fill up the last character are zero in canonical form.
  return (bits & ((1 << count) - 1)) === 0 ? bytes : undefined;
}

/** Returns `undefined`: a browser has no environment variables. */
export function wantedEngine(): string | undefined {
  return undefined;
}

/** Returns `undefined`: the addon does not exist for browsers. */
export function requireNative(): unknown {
  return undefined;
}

type HmacState = ReturnType<typeof hmac.create>;

class NobleHmacKey implements HmacKey {
  readonly #keyed: HmacState;

  constructor(key: Uint8Array) {
    this.#keyed = hmac.create(sha256, key);
  }

  mac(data: Uint8Array): Uint8Array {
    return this.#keyed.clone().update(data).digest();
  }

  macMany(list: readonly Uint8Array[]): Uint8Array[] {
    return list.map((data) => this.mac(data));
  }

  macText(text: string): string {
    return toBase64url(this.mac(utf8.encode(text)));
  }

  verifyText(text: string, signature: string): boolean {
    const wanted = this.macText(text);
    let difference = wanted.length ^ signature.length;
    for (let i = 0; i < wanted.length; i++) difference |= wanted.charCodeAt(i) ^ signature.charCodeAt(i);
    return difference === 0;
  }

  close(): void {
    this.#keyed.destroy();
  }
}

const { Point } = ed25519;

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  return value;
}

/**
 * The equation without cofactor, R = S·B − k·A compared as bytes. `ed25519.verify` of noble multiplies by the
 * cofactor, and so takes signatures that OpenSSL and dalek refuse.
 */
function ed25519Verify(publicKey: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean {
  const r = signature.subarray(0, 32);
  const k = sha512.create().update(r).update(publicKey).update(data).digest();
  try {
    const key = Point.fromBytes(publicKey, false);
    const challenge = Point.Fn.create(littleEndian(k));
    const point = Point.BASE.multiplyUnsafe(littleEndian(signature.subarray(32))).subtract(
      key.multiplyUnsafe(challenge),
    );
    return point.toBytes().every((byte, i) => byte === r[i]);
  } catch {
    return false;
  }
}

function createSigner(seed: Uint8Array): Signer {
  const kept = seed.slice();
  return { publicKey: ed25519.getPublicKey(kept), sign: (data) => ed25519.sign(data, kept) };
}

/** The engine in TypeScript over noble, for browsers. */
export const typescriptEngine: Engine = Object.freeze({
  name: 'typescript',
  base58Encode: base58.encode,
  base58Decode: base58.decode,
  sha256: (data) => sha256(data),
  createHmacKey: (key) => new NobleHmacKey(key),
  createSigner,
  ed25519Verify,
  verifyJwt: (token, signer, signature) =>
    ed25519Verify(signer.publicKey, utf8.encode(token.slice(0, token.lastIndexOf('.'))), signature),
} satisfies Engine);
