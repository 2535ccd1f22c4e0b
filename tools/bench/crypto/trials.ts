import { createHmac, createPublicKey, verify } from 'node:crypto';
import bs58 from 'bs58';
import type { ContestantName } from './operations.ts';
import {
  did,
  freshBytes,
  freshSigned,
  freshToken,
  hmacKeyBytes,
  hmacKeyObject,
  macOf,
  publicKey,
  publicKeyObject,
  type Signed,
  SPKI,
} from './samples.ts';
import { type Trial, trial } from './trial.ts';

/** The nine operations by one contestant. */
interface Crypto {
  encode(bytes: Uint8Array): string;
  decode(text: string): Uint8Array;
  hmac(data: Uint8Array): Uint8Array;
  hmacMany(list: readonly Uint8Array[]): Uint8Array[];
  verify(signed: Signed): boolean;
  token(jwt: string): boolean;
}

/** Items of a batch. */
const MANY = 100;

/** The trial of an operation by a contestant. The engine is chosen here, before it is first asked for. */
export async function trialOf(contestant: ContestantName, operation: string): Promise<Trial> {
  const crypto = await CRYPTO[contestant]();
  const hmac = (length: number): Trial => trial(() => freshBytes(length), crypto.hmac, macOf);
  const trials: Readonly<Record<string, () => Trial>> = {
    encode32: () => trial(() => freshBytes(32), crypto.encode, bs58.encode),
    decode32: () => trial(freshText, crypto.decode, bs58.decode),
    hmac64: () => hmac(64),
    hmac256: () => hmac(256),
    hmac1024: () => hmac(1_024),
    hmacMany256: () => trial(freshMany, crypto.hmacMany, (list) => list.map(macOf)),
    verify300: () => trial(freshSigned, crypto.verify, ({ valid }) => valid),
    token: () => trial(freshToken, crypto.token, () => true),
    tokenAgain: () => {
      const jwt = freshToken();
      return trial(
        () => jwt,
        crypto.token,
        () => true,
      );
    },
  };
  const make = trials[operation];
  if (make === undefined) throw new Error(`there is no operation "${operation}"`);
  return make();
}

/** A flat string, as from a socket: bs58 builds a rope of 44 parts, which the first reader would flatten. */
function freshText(): string {
  return Buffer.from(bs58.encode(freshBytes(32))).toString('latin1');
}

function freshMany(): readonly Uint8Array[] {
  return Array.from({ length: MANY }, () => freshBytes(256));
}

const CRYPTO: Readonly<Record<ContestantName, () => Promise<Crypto>>> = {
  peer: async () => peer,
  addon: async () => {
    const native = await import('@esdb-gater/native');
    const key = native.createHmacKey(hmacKeyBytes);
    return {
      encode: native.base58Encode,
      decode: native.base58Decode,
      hmac: (data) => native.hmacSha256(key, data),
      hmacMany: (list) => native.hmacSha256Many(key, list),
      verify: ({ data, signature }) => native.ed25519Verify(publicKey, data, signature),
      token: (jwt) => native.verifyToken(jwt, did),
    };
  },
  native: () => security('native'),
  typescript: () => security('typescript'),
};

async function security(name: 'native' | 'typescript'): Promise<Crypto> {
  process.env['ESDB_GATER_ENGINE'] = name;
  const engine = await import('@esdb-gater/security');
  if (engine.engine() !== name) throw new Error(`the engine is ${engine.engine()}`);
  return {
    encode: engine.base58.encode,
    decode: engine.base58.decode,
    hmac: (data) => engine.hmacSha256(hmacKeyBytes, data),
    hmacMany: (list) => engine.hmacSha256Many(hmacKeyBytes, list),
    verify: ({ data, signature }) => engine.ed25519Verify(publicKey, data, signature),
    // The whole verification of a token: form, claims, times, grants, root and audience, not only its signature.
    token: (jwt) => engine.verifyToken(jwt, { trustedIssuers: did, audience: did }).audience === did,
  };
}

const peer: Crypto = {
  encode: bs58.encode,
  decode: bs58.decode,
  hmac: (data) => createHmac('sha256', hmacKeyObject).update(data).digest(),
  hmacMany: (list) => list.map((data) => createHmac('sha256', hmacKeyObject).update(data).digest()),
  verify: ({ data, signature }) => verify(null, data, publicKeyObject, signature),
  // The least that a token needs: who signed it, and whether the signature is good.
  token: (jwt) => {
    const end = jwt.lastIndexOf('.');
    const claims: unknown = JSON.parse(
      Buffer.from(jwt.slice(jwt.indexOf('.') + 1, end), 'base64url').toString('utf8'),
    );
    const { iss } = claims as { readonly iss: string };
    const key = createPublicKey({
      key: Buffer.concat([SPKI, bs58.decode(iss.slice('did:key:z'.length)).subarray(2)]),
      format: 'der',
      type: 'spki',
    });
    return verify(null, Buffer.from(jwt.slice(0, end)), key, Buffer.from(jwt.slice(end + 1), 'base64url'));
  },
};
