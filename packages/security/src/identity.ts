import { describeType } from '@esdb-gater/primitives';
import { invalidArgument, type JsonObject } from '@esdb-gater/types';
import { fromBase64url, toBase64url } from '#platform';
import { bytesArgument, isPlainObject } from './arguments.ts';
import { formatDidKey } from './did-key.ts';
import type { Signer } from './engine/engine.ts';
import { currentEngine } from './engine/select.ts';

/** An Ed25519 key pair and its DID. The private key cannot be read from it and does not appear in logs. */
export interface Identity {
  /** `did:key:z6Mk…` */
  readonly did: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Returns the Ed25519 signature of `data`, 64 bytes (RFC 8032). @throws `invalid_argument`, reason `type` */
  sign(data: Uint8Array): Uint8Array;
}

/** The content of an identity file: a JWK (RFC 8037) and the DID. It contains the private key. */
export interface IdentityJson extends JsonObject {
  readonly did: string;
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  /** The public key, base64url. */
  readonly x: string;
  /** The seed, base64url. Secret. */
  readonly d: string;
}

const SEED_BYTES = 32;

/** Stored outside the objects, so that printing or serialising an identity does not reveal them. */
const seeds: WeakMap<Identity, Uint8Array> = new WeakMap();

class Ed25519Identity implements Identity {
  readonly did: string;
  readonly publicKey: Uint8Array;
  readonly #signer: Signer;

  constructor(seed: Uint8Array) {
    this.#signer = currentEngine().createSigner(seed);
    this.publicKey = this.#signer.publicKey.slice();
    this.did = formatDidKey(this.publicKey);
    seeds.set(this, seed.slice());
    Object.freeze(this);
  }

  sign(data: Uint8Array): Uint8Array {
    return this.#signer.sign(bytesArgument(data, 'the data'));
  }

  toJSON(): { did: string } {
    return { did: this.did };
  }
}

/** Makes identities. */
export const Identity: {
  generate(): Identity;
  fromSeed(seed: Uint8Array): Identity;
} = Object.freeze({
  /** Generates a new identity from the platform's random source. */
  generate(): Identity {
    return new Ed25519Identity(crypto.getRandomValues(new Uint8Array(SEED_BYTES)));
  },
  /**
   * Returns the identity of a seed.
   *
   * @param seed 32 secret bytes, copied
   * @throws `invalid_argument`, reason `type` or `length`
   */
  fromSeed(seed: Uint8Array): Identity {
    return new Ed25519Identity(bytesArgument(seed, 'the seed', SEED_BYTES));
  },
});

/** Returns true for an identity that `Identity` has created. */
export function isIdentity(value: unknown): value is Identity {
  return value instanceof Ed25519Identity;
}

/** @throws `invalid_argument`, reason `type` */
export function identityArgument(value: unknown, name: string): Identity {
  if (!isIdentity(value))
    throw invalidArgument('type', `${name} must be an Identity, got ${describeType(value)}`);
  return value;
}

/**
 * Returns the identity with its private key, for a file that only its owner may read.
 *
 * @throws `invalid_argument`, reason `type`, for an object that `Identity` has not created
 */
export function identityToJson(identity: Identity): IdentityJson {
  const seed = seeds.get(identityArgument(identity, 'the identity'));
  if (seed === undefined) throw invalidArgument('type', 'the identity has no seed here');
  return {
    did: identity.did,
    kty: 'OKP',
    crv: 'Ed25519',
    x: toBase64url(identity.publicKey),
    d: toBase64url(seed),
  };
}

/**
 * Returns the identity of such an object, or of a plain Ed25519 JWK without `did`.
 *
 * @throws `invalid_argument`, reason `identity`, when a member is missing or the parts do not belong together
 */
export function identityFromJson(json: unknown): Identity {
  const { kty, crv, d, x, did } = isPlainObject(json) ? json : {};
  if (kty !== 'OKP' || crv !== 'Ed25519') {
    throw invalidArgument('identity', 'the identity must have "kty": "OKP" and "crv": "Ed25519"');
  }
  const seed = typeof d === 'string' ? fromBase64url(d) : undefined;
  if (seed?.length !== SEED_BYTES) {
    throw invalidArgument('identity', 'the identity\'s "d" must be 32 bytes of base64url');
  }
  const identity = Identity.fromSeed(seed);
  if (x !== undefined && x !== toBase64url(identity.publicKey)) {
    throw invalidArgument('identity', 'the identity\'s "x" must be the public key of "d"');
  }
  if (did !== undefined && did !== identity.did) {
    throw invalidArgument('identity', `the identity's "did" must be ${identity.did}, the DID of "d"`);
  }
  return identity;
}
