/** A precomputed HMAC-SHA256 key. */
export interface HmacKey {
  /** 32 bytes. */
  mac(data: Uint8Array): Uint8Array;
  macMany(list: readonly Uint8Array[]): Uint8Array[];
  /** The MAC of the text's UTF-8 bytes, as base64url without padding (43 characters). The text is well formed. */
  macText(text: string): string;
  /** In constant time. `signature` is canonical base64url of 32 bytes: who calls has checked it. */
  verifyText(text: string, signature: string): boolean;
  /** Frees what the engine keeps outside the heap. The key must not be used afterwards. */
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
 * What costs time, behind one seam: in native code where that is installed, else in TypeScript. An engine gets
 * arguments that are checked already, and both give the same answer to the same question.
 */
export interface Engine {
  readonly name: 'native' | 'typescript';
  /** Version of the native addon; absent with TypeScript. */
  readonly version?: string;
  base58Encode(bytes: Uint8Array): string;
  /** `undefined` when a character is none of the alphabet. */
  base58Decode(text: string): Uint8Array | undefined;
  sha256(data: Uint8Array): Uint8Array;
  /** @param key any length, also none */
  createHmacKey(key: Uint8Array): HmacKey;
  /** @param seed 32 bytes */
  createSigner(seed: Uint8Array): Signer;
  /**
   * True when the signature fits, cofactorless. Keys and signatures of the wrong length, non-canonical encodings
   * and points of small order never come here: `isStrictSignature` has sorted them out.
   */
  ed25519Verify(publicKey: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean;
  /**
   * True when the last part of a compact JWT signs the rest. The token consists of three parts of canonical
   * base64url; `signature` is the last one decoded, sorted out as above.
   */
  verifyJwt(token: string, signer: JwtSigner, signature: Uint8Array): boolean;
}

/** Who has signed a token: the same key in the two forms that engines want. */
export interface JwtSigner {
  readonly did: string;
  readonly publicKey: Uint8Array;
}
