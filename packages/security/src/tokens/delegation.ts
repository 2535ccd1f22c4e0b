import type { TokenClaims } from './claims.ts';
import { coversParsed } from './grants.ts';
import { unauthorized } from './token-error.ts';

/**
 * Checks that the parents of a token, if any, are for its issuer and cover each of its grants.
 *
 * @throws `unauthorized`, reason `invalid_delegation`
 */
export function checkDelegation(
  child: Pick<TokenClaims, 'iss' | 'att'>,
  parents: readonly Pick<TokenClaims, 'aud' | 'att'>[],
): void {
  if (parents.length === 0) return;
  if (parents.some(({ aud }) => aud !== child.iss)) {
    throw unauthorized('invalid_delegation', 'the issuer of a token must be the audience of its parents');
  }
  const given = parents.flatMap(({ att }) => att);
  const uncovered = child.att.find((grant) => !given.some((from) => coversParsed(from, grant)));
  if (uncovered === undefined) return;
  throw unauthorized(
    'invalid_delegation',
    `each grant must be covered by a grant of a parent: "${uncovered.can}" on "${uncovered.with}" is not`,
  );
}
