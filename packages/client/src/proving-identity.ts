import { describeType, proofChallenge } from '@esdb-gater/primitives';
import { invalidArgument } from '@esdb-gater/types';

/** A key that proves that its holder is the audience of a token. An `Identity` of `@esdb-gater/security` is one. */
export interface ProvingIdentity {
  /** `did:key:z6Mk…` */
  readonly did: string;
  /** Returns the Ed25519 signature of `data`, 64 bytes (RFC 8032). */
  sign(data: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

type Key = Parameters<typeof crypto.subtle.exportKey>[1];

/** A `CryptoKeyPair`, by the members that are used: not every runtime has that name. */
export interface WebKeyPair {
  readonly privateKey: Key;
  readonly publicKey: Key;
}

/** The multicodec of an Ed25519 public key. */
const ED25519_KEY = [0xed, 0x01] as const;
const DIGITS = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/**
 * Generates a key by the Web Cryptography API, which does not hand out its private part. Where the platform has no
 * Ed25519, or the page is not a secure context, it loads an implementation in JavaScript.
 */
export async function generateIdentity(): Promise<ProvingIdentity> {
  try {
    return await identityOfKeys(
      (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as WebKeyPair,
    );
  } catch {
    const { Identity } = await import('./identity-fallback.ts');
    return Identity.generate();
  }
}

/**
 * Returns the identity of an Ed25519 key pair of the Web Cryptography API, such as one that the page keeps in IndexedDB.
 *
 * @throws `invalid_argument` (reason `identity`) for other keys
 */
export async function identityOfKeys(keys: WebKeyPair): Promise<ProvingIdentity> {
  const { privateKey, publicKey } = keys;
  if (privateKey?.algorithm?.name !== 'Ed25519' || publicKey?.algorithm?.name !== 'Ed25519') {
    throw invalidArgument('identity', 'the keys must be an Ed25519 key pair of the Web Cryptography API');
  }
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', publicKey));
  return Object.freeze({
    did: `did:key:z${base58([...ED25519_KEY, ...raw])}`,
    sign: async (data: Uint8Array) =>
      new Uint8Array(await crypto.subtle.sign('Ed25519', privateKey, Uint8Array.from(data))),
  });
}

/** Encodes bytes that do not begin with 0. */
function base58(bytes: readonly number[]): string {
  let value = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  let text = '';
  for (; value > 0n; value /= 58n) text = (DIGITS[Number(value % 58n)] ?? '') + text;
  return text;
}

/**
 * Returns the proof for `authenticate`: base64url of the signature over the DID of the gateway and the nonce of `hello`.
 *
 * @throws `invalid_argument` (reason `type`) when the identity cannot sign
 */
export async function proofOf(identity: ProvingIdentity, gatewayDid: string, nonce: string): Promise<string> {
  const signature: unknown = await identity.sign?.(proofChallenge(gatewayDid, nonce));
  if (!(signature instanceof Uint8Array)) {
    throw invalidArgument('type', `the identity must sign with bytes, got ${describeType(signature)}`);
  }
  return btoa(String.fromCharCode(...signature))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
