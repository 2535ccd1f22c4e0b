// Identities
export { BASE58_MAX_BYTES, base58 } from './base58.ts';
export { didKey } from './did-key.ts';
// Primitives
export { ed25519Verify } from './ed25519.ts';
export { CANONICAL_JSON_LEVELS, canonicalJson } from './encoding/canonical-json.ts';
export { type EngineDetails, engine, engineDetails } from './engine/select.ts';
export { hmacSha256, hmacSha256Many } from './hmac.ts';
export { Identity, type IdentityJson, identityFromJson, identityToJson, isIdentity } from './identity.ts';
// Message signatures
export type { SignatureMembers } from './messages/members.ts';
export {
  createNonceCache,
  type NonceCache,
  type NonceCacheComponents,
  type NonceCacheOptions,
} from './messages/nonce-cache.ts';
export {
  createSecretRing,
  DEFAULT_KEY_ID,
  type NamedSecret,
  type SecretRing,
  type Secrets,
  setSecret,
} from './messages/secret-ring.ts';
export { type SignOptions, sign } from './messages/sign.ts';
export type { SignatureReason } from './messages/signature-error.ts';
export {
  MESSAGE_SKEW_SECONDS,
  MESSAGE_TTL_SECONDS,
  type VerifiedMessage,
  type VerifyMessageOptions,
  type VerifyOptions,
  verify,
  verifyMessage,
} from './messages/verify.ts';
export type { Moment } from './time.ts';
