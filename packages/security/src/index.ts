// Identities
export { proofChallenge } from '@esdb-gater/primitives';
export { BASE58_MAX_BYTES, base58 } from './base58.ts';
export { didKey } from './did-key.ts';
// Primitives
export { ed25519Verify } from './ed25519.ts';
export { canonicalJson } from './encoding/canonical-json.ts';
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
// Capability tokens
export { ACTIONS, type Action } from './tokens/actions.ts';
export {
  type ChainLink,
  type IsRevoked,
  isTokenRevoked,
  type VerifiedToken,
} from './tokens/chain.ts';
export { TOKEN_HEADER, TOKEN_LIMITS, type TokenClaims } from './tokens/claims.ts';
export { type CreateTokenOptions, createToken, delegateToken } from './tokens/create-token.ts';
export { type DecodedToken, decodeToken } from './tokens/decode-token.ts';
export {
  type Authority,
  authorize,
  covers,
  coversAction,
  coversResource,
  filterGranted,
  type Grant,
  isAction,
  isGranted,
} from './tokens/grants.ts';
export { createProof, verifyProof } from './tokens/proof.ts';
export { DEFAULT_REALM, isNormalResource, normalizeResource, resourceName } from './tokens/resource.ts';
export {
  type CreateRevocationOptions,
  createRevocation,
  type Revocation,
  type RevocationTopic,
  type VerifiedRevocation,
  verifyRevocation,
} from './tokens/revocation.ts';
export {
  createRevocationList,
  type RevocationList,
  type RevocationListComponents,
  type RevocationListOptions,
  type StoredRevocation,
} from './tokens/revocation-list.ts';
export type { UnauthorizedReason } from './tokens/token-error.ts';
export { isTokenId, tokenId } from './tokens/token-id.ts';
export {
  createTokenVerifier,
  type TokenVerifier,
  type TokenVerifierComponents,
  type TokenVerifierOptions,
} from './tokens/token-verifier.ts';
export { type VerifyTokenOptions, verifyToken } from './tokens/verify-token.ts';
