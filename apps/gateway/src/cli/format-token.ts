import type { DecodedToken } from '@esdb-gater/security';
import { plain } from './output.ts';

/** The claims to show. None of them is verified, so each may be missing or of another type. */
interface Claims {
  readonly iss?: unknown;
  readonly aud?: unknown;
  readonly exp?: unknown;
  readonly nbf?: unknown;
  readonly att?: unknown;
}

/** Formats a token and its parents as indented lines, the token itself first. */
export function formatToken(token: DecodedToken, nowSeconds: number, level = 0): string[] {
  const claims = (typeof token.claims === 'object' && token.claims !== null ? token.claims : {}) as Claims;
  const indent = '    '.repeat(level);
  const line = (text: string): string => `${indent}${plain(text)}`;
  const grants = Array.isArray(claims.att) ? (claims.att as { with?: unknown; can?: unknown }[]) : [];
  return [
    line(`${level === 0 ? 'token' : '└─ from'} ${token.id}`),
    line(`   issuer    ${String(claims.iss)}`),
    line(`   audience  ${String(claims.aud)}`),
    ...(claims.nbf === undefined ? [] : [line(`   from      ${formatTime(claims.nbf)}`)]),
    line(`   until     ${formatTime(claims.exp)}${timeLeft(claims.exp, nowSeconds)}`),
    ...grants.map((grant) => line(`   may       ${String(grant?.can)}  on  ${String(grant?.with)}`)),
    ...(token.problem === undefined ? [] : [line(`   PROBLEM   ${token.problem}`)]),
    ...token.parents.flatMap((parent) => formatToken(parent, nowSeconds, level + 1)),
  ];
}

function formatTime(seconds: unknown): string {
  const date = new Date(Number(seconds) * 1_000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString();
}

function timeLeft(seconds: unknown, nowSeconds: number): string {
  if (typeof seconds !== 'number') return '';
  const rest = Math.round(seconds - nowSeconds);
  return rest > 0 ? ` (${rest} s left)` : ' (ended)';
}
