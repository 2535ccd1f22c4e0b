import type * as Security from '@esdb-gater/security';
import type { Vectors } from './vectors.ts';

/** Bytes are hexadecimal text; a refusal is its code and reason. */
export interface Answers {
  readonly macs: readonly string[];
  readonly macsAtOnce: readonly string[];
  readonly publicKeys: readonly string[];
  readonly dids: readonly string[];
  readonly signatures: readonly string[];
  readonly verified: readonly boolean[];
  readonly forged: readonly boolean[];
  readonly base58: readonly string[];
  readonly base58Bytes: readonly string[];
  readonly base58Refused: readonly string[];
  readonly canonical: string;
  readonly tokenIds: readonly string[];
  readonly tokens: readonly unknown[];
  readonly messages: readonly unknown[];
  readonly signedHere: unknown;
  readonly madeHere: unknown;
  readonly proofs: readonly boolean[];
  readonly utf8: string;
}

/**
 * Returns the answers of the security package to the vectors, as plain JSON. It does not use Node, so that it also runs
 * in a browser and next to a package that was installed alone.
 *
 * Types are all that has to be stripped from this file for it to run anywhere.
 */
export function answersOf(security: typeof Security, vectors: Vectors): Answers {
  const utf8 = new TextEncoder();
  const bytes = (hex: string): Uint8Array =>
    Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const hex = (array: Uint8Array): string =>
    Array.from(array, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const outcome = <T>(work: () => T): T | string => {
    try {
      return work();
    } catch (error) {
      const { code, details } = error as { code?: string; details?: { reason?: string } };
      return `${code}/${details?.reason}`;
    }
  };
  const { trustedIssuer: trustedIssuers, audience, now, channel, topic, secret } = vectors;
  return {
    macs: vectors.rfc4231.map(({ key, data }) => hex(security.hmacSha256(bytes(key), bytes(data)))),
    macsAtOnce: security
      .hmacSha256Many(
        bytes(vectors.rfc4231[0]?.key ?? ''),
        vectors.rfc4231.map(({ data }) => bytes(data)),
      )
      .map(hex),
    publicKeys: vectors.rfc8032.map(({ seed }) => hex(security.Identity.fromSeed(bytes(seed)).publicKey)),
    dids: vectors.rfc8032.map(({ seed }) => security.Identity.fromSeed(bytes(seed)).did),
    signatures: vectors.rfc8032.map(({ seed, message }) =>
      hex(security.Identity.fromSeed(bytes(seed)).sign(bytes(message))),
    ),
    verified: vectors.rfc8032.map(({ publicKey, message, signature }) =>
      security.ed25519Verify(bytes(publicKey), bytes(message), bytes(signature)),
    ),
    forged: vectors.rfc8032.map(({ publicKey, message, signature }) =>
      security.ed25519Verify(bytes(publicKey), bytes(`${message}00`), bytes(signature)),
    ),
    base58: vectors.base58.map(({ bytes: raw }) => security.base58.encode(bytes(raw))),
    base58Bytes: vectors.base58.map(({ text }) => hex(security.base58.decode(text))),
    base58Refused: ['0', 'O', 'I', 'l', ' 1', '1\n', '\u0141'].map((text) =>
      outcome(() => hex(security.base58.decode(text))),
    ),
    canonical: security.canonicalJson(vectors.value),
    tokenIds: vectors.tokens.map((token) => security.tokenId(token)),
    tokens: vectors.tokens.map((token) =>
      outcome(() => {
        const { issuer, expiresAt, att, chain } = security.verifyToken(token, {
          trustedIssuers,
          audience,
          now,
        });
        return { issuer, expiresAt, att, links: chain.length };
      }),
    ),
    messages: vectors.messages.map((message) =>
      outcome(() => security.verify(message, { secret, channel, topic, now })),
    ),
    signedHere: outcome(() => {
      const message = security.sign(vectors.value, { secret, channel, topic });
      return security.verify(message, { secret, channel, topic });
    }),
    madeHere: outcome(() => {
      const issuer = security.Identity.generate();
      const att = [{ with: '*', can: '*' }];
      const token = security.createToken({ issuer, audience, att });
      return security.verifyToken(token, { trustedIssuers: issuer.did, audience }).att;
    }),
    proofs: [vectors.nonce, `${vectors.nonce}x`].map((nonce) => {
      const identity = security.Identity.fromSeed(bytes(vectors.rfc8032[0]?.seed ?? ''));
      const proof = security.createProof(identity, audience, vectors.nonce);
      return security.verifyProof(identity.did, audience, nonce, proof);
    }),
    utf8: hex(security.hmacSha256(utf8.encode('k'), utf8.encode('\u00e9 \u{1f600}'))),
  };
}
