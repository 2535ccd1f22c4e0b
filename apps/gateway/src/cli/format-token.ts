import type { DecodedToken } from '@esdb-gater/security';
import { plain } from './output.ts';

/** The claims that the picture shows; nothing in them is proven, so nothing is taken for granted. */
interface Claims {
  readonly iss?: unknown;
  readonly aud?: unknown;
  readonly exp?: unknown;
  readonly nbf?: unknown;
  readonly att?: unknown;
}

/** A token and its parents as an indented picture, the token itself first. */
export function tokenPicture(token: DecodedToken, nowSeconds: number, level = 0): string[] {
  const claims = (typeof token.claims === 'object' && token.claims !== null ? token.claims : {}) as Claims;
  const indent = '    '.repeat(level);
  const line = (text: string): string => `${indent}${plain(text)}`;
  const grants = Array.isArray(claims.att) ? (claims.att as { with?: unknown; can?: unknown }[]) : [];
  return [
    line(`${level === 0 ? 'token' : '└─ from'} ${token.id}`),
    line(`   issuer    ${String(claims.iss)}`),
    line(`   audience  ${String(claims.aud)}`),
    ...(claims.nbf === undefined ? [] : [line(`   from      ${moment(claims.nbf)}`)]),
    line(`   until     ${moment(claims.exp)}${left(claims.exp, nowSeconds)}`),
    ...grants.map((grant) => line(`   may       ${String(grant?.can)}  on  ${String(grant?.with)}`)),
    ...(token.problem === undefined ? [] : [line(`   PROBLEM   ${token.problem}`)]),
    ...token.parents.flatMap((parent) => tokenPicture(parent, nowSeconds, level + 1)),
  ];
}

function moment(seconds: unknown): string {
  const date = new Date(Number(seconds) * 1_000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString();
}

function left(seconds: unknown, nowSeconds: number): string {
  if (typeof seconds !== 'number') return '';
  const rest = Math.round(seconds - nowSeconds);
  return rest > 0 ? ` (${rest} s left)` : ' (ended)';
}
