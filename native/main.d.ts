/*
 * Every function is synchronous. Rules for all functions:
 *
 * - an argument of the wrong type, a detached array and a text with a lone surrogate throw `TypeError`;
 * - what is out of bounds throws `RangeError`: bytes and texts of more than 64 MiB, lists of more than 1 048 576 items,
 *   an id that was never returned or was released;
 * - arrays over shared memory are copied first, and results are always new arrays.
 *
 * An id belongs to the thread that created it.
 */

/** The version of this package, compiled into the addon. */
export declare const version: string;

/**
 * Base58 with Bitcoin's alphabet, no check sum; each zero byte at the start is a `1`.
 *
 * @param bytes at most 4 096, since the time grows with the square
 */
export declare function base58Encode(bytes: Uint8Array): string;

/**
 * @param text at most 5 594 characters
 * @throws SyntaxError, code `ERR_INVALID_TEXT`, with the place of a character that is not in the alphabet
 */
export declare function base58Decode(text: string): Uint8Array;

/**
 * Prepares a key for HMAC-SHA256. It stays in memory, outside the heap, until it is released.
 *
 * @param key any length, also none
 * @returns an id above 0 that is never given again
 * @throws RangeError when 65 536 keys are held
 */
export declare function createHmacKey(key: Uint8Array): number;

/** Wipes a key. Returns false when no key has that id. */
export declare function releaseHmacKey(keyId: number): boolean;

/** The MAC of `data`, 32 bytes (RFC 2104). */
export declare function hmacSha256(keyId: number, data: Uint8Array): Uint8Array;

/** The MACs of a list, in its order. */
export declare function hmacSha256Many(keyId: number, list: readonly Uint8Array[]): Uint8Array[];

/** Compares in constant time. False for a MAC of another length than 32 bytes. */
export declare function hmacSha256Verify(keyId: number, data: Uint8Array, mac: Uint8Array): boolean;

/**
 * The public key of a seed (RFC 8032), 32 bytes.
 *
 * @throws RangeError when the seed has not 32 bytes
 */
export declare function ed25519PublicKey(seed: Uint8Array): Uint8Array;

/**
 * The signature of `data`, 64 bytes, deterministic.
 *
 * @throws RangeError when the seed has not 32 bytes
 */
export declare function ed25519Sign(seed: Uint8Array, data: Uint8Array): Uint8Array;

/**
 * Strict: a key or an R of small order, an encoding that is not canonical and a scalar that is not reduced are never
 * valid. False for a key of another length than 32 bytes, or a signature of another than 64.
 */
export declare function ed25519Verify(
  publicKey: Uint8Array,
  data: Uint8Array,
  signature: Uint8Array,
): boolean;

/**
 * True when `jwt` is three parts of canonical base64url without padding and the last is the signature, by the
 * Ed25519 key of `did`, over the first two with the dot between. Header and claims are not read.
 *
 * Returns false otherwise, also for a `did` that is not a `did:key` of Ed25519 and for a token longer than 16 KiB.
 */
export declare function verifyToken(jwt: string, did: string): boolean;

/**
 * The same for a list of tokens and their issuers, up to the first that does not fit.
 *
 * @returns its index, or -1 when all fit
 * @throws RangeError when the lists differ in length
 */
export declare function verifyTokenChain(jwts: readonly string[], dids: readonly string[]): number;

/** The MAC of the text's UTF-8 as base64url without padding, 43 characters. */
export declare function signMessage(keyId: number, text: string): string;

/** Compares in constant time. Returns false for a signature that is not canonical base64url of 32 bytes. */
export declare function verifyMessage(keyId: number, text: string, signature: string): boolean;

/** `signMessage` for a list, in its order. */
export declare function signMessages(keyId: number, texts: readonly string[]): string[];

/**
 * `verifyMessage` for a list, in its order.
 *
 * @throws RangeError when the lists differ in length
 */
export declare function verifyMessages(
  keyId: number,
  texts: readonly string[],
  signatures: readonly string[],
): boolean[];
