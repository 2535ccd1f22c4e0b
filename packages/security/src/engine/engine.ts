/** A precomputed HMAC-SHA256 key. */
export interface HmacKey {
  /** 32 bytes. */
  mac(data: Uint8Array): Uint8Array;
  macMany(list: readonly Uint8Array[]): Uint8Array[];
  /** Returns the MAC of the text's UTF-8 bytes, as base64url without padding (43 characters). The text is well formed. */
  macText(text: string): string;
  /** Compares in constant time. `signature` is canonical base64url of 32 bytes, as the caller has checked. */
  verifyText(text: string, signature: string): boolean;
  /** Frees the engine's memory outside the heap. The key must not be used afterwards. */
  close(): void;
}

/** An Ed25519 key pair. */
export interface Signer {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes, deterministic (RFC 8032). */
  sign(data: Uint8Array): Uint8Array;
}

/**
 * The expensive computations, in native code if it is installed, else in TypeScript. An engine gets arguments that are
 * checked already, and all engines return the same results.
 */
export interface Engine {
  readonly name: 'native' | 'typescript';
  /** Version of the native addon; absent with TypeScript. */
  readonly version?: string;
  base58Encode(bytes: Uint8Array): string;
  /** `undefined` when a character is not in the alphabet. */
  base58Decode(text: string): Uint8Array | undefined;
  sha256(data: Uint8Array): Uint8Array;
  /** @param key any length, also empty */
  createHmacKey(key: Uint8Array): HmacKey;
  /** @param seed 32 bytes */
  createSigner(seed: Uint8Array): Signer;
  /**
   * True when the signature fits, cofactorless. Keys and signatures of the wrong length, non-canonical encodings
   * and points of small order never reach the engine: `isStrictSignature` has refused them.
   */
  ed25519Verify(publicKey: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean;
  /**
   * Returns true when the last part of a compact JWT is a signature of the other parts. The token consists of three
   * parts of canonical base64url; `signature` is the last one decoded, checked as above.
   */
  verifyJwt(token: string, signer: JwtSigner, signature: Uint8Array): boolean;
}

/** The signer of a token: the same key in the two forms that engines need. */
export interface JwtSigner {
  readonly did: string;
  readonly publicKey: Uint8Array;
}
