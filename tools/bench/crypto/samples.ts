import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type KeyObject,
  randomFillSync,
  sign,
} from 'node:crypto';
import bs58 from 'bs58';

/* Inputs and expected results, created by node:crypto and bs58 before any clock starts. */

export interface Signed {
  readonly data: Uint8Array;
  readonly signature: Uint8Array;
  readonly valid: boolean;
}

/** Prefixes of RFC 8410: the DER forms of an Ed25519 key around its 32 bytes. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
export const SPKI: Buffer = Buffer.from('302a300506032b6570032100', 'hex');

export const hmacKeyBytes: Uint8Array = new Uint8Array(32).fill(11);
export const hmacKeyObject: KeyObject = createSecretKey(hmacKeyBytes);

const seed = new Uint8Array(32).fill(12);
const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
export const publicKeyObject: KeyObject = createPublicKey(privateKey);
export const publicKey: Uint8Array = Uint8Array.from(
  publicKeyObject.export({ format: 'der', type: 'spki' }).subarray(SPKI.length),
);
export const did = `did:key:z${bs58.encode(Uint8Array.of(0xed, 1, ...publicKey))}`;

/** Bytes that were never there before, in a new array. */
export function freshBytes(length: number): Uint8Array {
  return randomFillSync(new Uint8Array(length));
}

export function macOf(data: Uint8Array): Uint8Array {
  return createHmac('sha256', hmacKeyObject).update(data).digest();
}

/**
 * Data of 300 bytes with a signature; every fifth signature is wrong, so that answering `true` without a check fails.
 */
export function freshSigned(): Signed {
  const data = freshBytes(300);
  const signature = Uint8Array.from(sign(null, data, privateKey));
  const valid = (data[0] ?? 0) % 5 !== 0;
  if (!valid) signature[3] = (signature[3] ?? 0) ^ 1;
  return { data, signature, valid };
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const header = part({ alg: 'EdDSA', typ: 'JWT', ucv: '0.9.1' });

/** A token that `@esdb-gater/security` accepts, with a unique id; about 500 characters. */
export function freshToken(): string {
  const iat = Math.floor(Date.now() / 1_000);
  const claims = part({
    iss: did,
    aud: did,
    iat,
    exp: iat + 3_600,
    nnc: Buffer.from(freshBytes(12)).toString('base64url'),
    att: [{ with: 'esdb://default/stream/bench/*', can: 'stream/append' }],
    prf: [],
  });
  const signed = `${header}.${claims}`;
  return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
}
