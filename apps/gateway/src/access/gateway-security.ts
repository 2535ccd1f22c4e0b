import { resolve } from 'node:path';
import { createSignatureGate, type SignatureGate } from '@esdb-gater/channels';
import type { Identity, Secrets } from '@esdb-gater/security';
import type { Clock, Logger } from '@esdb-gater/types';
import type { GatewayConfig } from '../config/types.ts';
import { type DataDir, keptSecret } from '../node/data-dir.ts';
import { loadIdentity } from '../node/identity-file.ts';
import type { GrantVerifier } from './grants.ts';
import { createKnownIssuers } from './known-issuers.ts';
import { openRevocations, type Revocations } from './revocations.ts';
import { createTokenAuthenticator, type TokenAuthenticator } from './token-authenticator.ts';
import { createGrantVerifier } from './token-verifier.ts';

export interface GatewaySecurityComponents {
  readonly dataDir: DataDir;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The keys of this gateway, and the verifiers of tokens and signatures. */
export interface GatewaySecurity {
  readonly identity: Identity;
  readonly signatures: SignatureGate;
  readonly grants: GrantVerifier;
  readonly authenticator: TokenAuthenticator;
  readonly revocations: Revocations;
}

/**
 * Loads or creates the identity and the secret, and reads the revocations.
 *
 * @throws `invalid_argument`, `unavailable` when a file of them cannot be used
 */
export async function openGatewaySecurity(
  { dataDir, clock, logger }: GatewaySecurityComponents,
  config: GatewayConfig,
): Promise<GatewaySecurity> {
  const { security, realm } = config;
  const file =
    security.identityFile === null ? dataDir.file('identity.json') : resolve(security.identityFile);
  const identity = await loadIdentity(file);
  const secret: Secrets = security.hmacSecret ?? (await keptSecret(dataDir));
  const trustedIssuers = security.trustedIssuers ?? [identity.did];
  const issuers = createKnownIssuers();
  const revocations = await openRevocations({ dataDir, clock, logger, issuers }, { secret, trustedIssuers });
  const grants = createGrantVerifier(
    { clock, revocations, issuers },
    { realm, trustedIssuers, audiences: [identity.did, ...security.audiences] },
  );
  return {
    identity,
    signatures: createSignatureGate({ clock }, { secret, ttlSeconds: security.messageTtlSeconds }),
    grants,
    authenticator: createTokenAuthenticator(identity.did, grants),
    revocations,
  };
}
