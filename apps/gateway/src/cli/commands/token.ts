import { text } from 'node:stream/consumers';
import { describeValue, parseRfc3339 } from '@esdb-gater/primitives';
import {
  createRevocation,
  createToken,
  decodeToken,
  delegateToken,
  type Grant,
  tokenId,
  type UnauthorizedReason,
  verifyToken,
} from '@esdb-gater/security';
import { GaterError } from '@esdb-gater/types';
import { type CommonOptions, connectGateway, integerArgument, outputOf, type Terminal } from '../context.ts';
import { EXIT, UsageError } from '../exit.ts';
import { readIdentity, readTextFile, writePrivateFile } from '../files.ts';
import { formatToken } from '../format-token.ts';
import { UNAUTHORIZED_MESSAGES } from '../unauthorized-messages.ts';

export interface TokenCreateOptions extends CommonOptions {
  readonly identity: string;
  readonly audience: string;
  readonly grant: readonly string[];
  readonly lifetime?: string;
  readonly notBefore?: string;
  readonly parent?: readonly string[];
  readonly out?: string;
}

/** `token create`: issues a token, or with `--parent` delegates a part of what the parent grants. */
export async function tokenCreate(options: TokenCreateOptions, terminal: Terminal): Promise<void> {
  const settings = {
    issuer: readIdentity(options.identity),
    audience: options.audience,
    att: options.grant.map(grantOf),
    ...(options.lifetime === undefined
      ? {}
      : { lifetimeSeconds: integerArgument('--lifetime', options.lifetime, 1) }),
    ...(options.notBefore === undefined ? {} : { notBefore: timeOf(options.notBefore) }),
  };
  const parents = (options.parent ?? []).map((file) => readTextFile('--parent', file));
  const token = parents.length === 0 ? createToken(settings) : delegateToken(parents, settings);
  const output = outputOf(options, terminal);
  if (options.out === undefined) return output.result({ id: tokenId(token), token }, token);
  writePrivateFile(options.out, token);
  await output.result({ id: tokenId(token), file: options.out }, `${tokenId(token)} in ${options.out}`);
}

/** `token inspect`: prints the claims of a token and its parents, without verifying them. */
export async function tokenInspect(
  file: string | undefined,
  options: CommonOptions,
  terminal: Terminal,
): Promise<void> {
  const decoded = decodeToken(await readToken(file, terminal));
  const output = outputOf(options, terminal);
  if (options.json === true) return output.result(decoded, '');
  for (const line of formatToken(decoded, Date.now() / 1_000)) await output.line(line);
}

export interface TokenVerifyOptions extends CommonOptions {
  readonly trusted: readonly string[];
  readonly audience: readonly string[];
  readonly action?: string;
  readonly resource?: string;
}

/** `token verify`: says whether a gateway with these roots and audiences accepts a token, and why not. */
export async function tokenVerify(
  file: string | undefined,
  options: TokenVerifyOptions,
  terminal: Terminal,
): Promise<number> {
  if ((options.action === undefined) !== (options.resource === undefined)) {
    throw new UsageError('--action and --resource must be given together');
  }
  const token = await readToken(file, terminal);
  try {
    const { id, issuer, audience, expiresAt, att } = verifyToken(token, {
      trustedIssuers: options.trusted,
      audience: options.audience,
      ...(options.action === undefined ? {} : { action: options.action, resource: options.resource ?? '' }),
    });
    await outputOf(options, terminal).result(
      { id, issuer, audience, expiresAt, att },
      `valid until ${new Date(expiresAt * 1_000).toISOString()}`,
    );
    return EXIT.ok;
  } catch (error) {
    throw GaterError.is(error) && error.code === 'unauthorized' ? explained(error) : error;
  }
}

export interface TokenRevokeOptions extends CommonOptions {
  readonly identity: string;
  readonly issuer?: string;
  readonly reason?: string;
}

/** `token revoke`: revokes a token, or with `--issuer` all tokens of an issuer. */
export async function tokenRevoke(
  file: string | undefined,
  options: TokenRevokeOptions,
  terminal: Terminal,
): Promise<void> {
  if (file !== undefined && options.issuer !== undefined)
    throw new UsageError('give a FILE or --issuer, not both');
  const what =
    options.issuer === undefined
      ? { cid: tokenId(await readToken(file, terminal)) }
      : { iss: options.issuer };
  const revocation = createRevocation(readIdentity(options.identity), {
    ...what,
    ...(options.reason === undefined ? {} : { reason: options.reason }),
  });
  await using client = await connectGateway(options, terminal);
  const result = await client.revokeToken(revocation as never, { signal: terminal.interrupted });
  await outputOf(options, terminal).result(
    { ...result, ...what },
    `revoked ${'cid' in what ? what.cid : what.iss}`,
  );
}

/** `ACTION=RESOURCE`. @throws UsageError */
export function grantOf(text: string): Grant {
  const at = text.indexOf('=');
  if (at <= 0 || at === text.length - 1) {
    throw new UsageError(
      `--grant must be ACTION=RESOURCE, such as stream/read=esdb://default/stream/default/*, got ${describeValue(text)}`,
    );
  }
  return { can: text.slice(0, at), with: text.slice(at + 1) };
}

function timeOf(value: string): Date {
  const timeMs = parseRfc3339(value);
  if (timeMs !== undefined) return new Date(timeMs);
  throw new UsageError(
    `--not-before must be an RFC 3339 time, such as 2026-01-31T12:00:00Z, got ${describeValue(value)}`,
  );
}

/** Reads a token from a file or standard input: every user of the machine can see the arguments of a process. */
async function readToken(file: string | undefined, terminal: Terminal): Promise<string> {
  if (file !== undefined && file !== '-') return readTextFile('FILE', file);
  if (terminal.stdin.isTTY === true) throw new UsageError('give a FILE, or the token on standard input');
  return (await text(terminal.stdin as never)).trim();
}

function explained(error: GaterError): GaterError {
  const reason = error.details['reason'] as UnauthorizedReason;
  return new GaterError('unauthorized', `${UNAUTHORIZED_MESSAGES[reason] ?? reason}: ${error.message}`, {
    details: error.details,
  });
}
