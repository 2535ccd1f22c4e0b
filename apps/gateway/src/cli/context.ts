import { X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import { connect, type RemoteGater } from '@esdb-gater/client';
import { describeValue, findInexactNumber, inexactNumber } from '@esdb-gater/primitives';
import { connectProblem } from './connect-problem.ts';
import { UsageError } from './exit.ts';
import { readIdentity, readTextFile } from './files.ts';
import { createOutput, type Output } from './output.ts';
import { retryNotes } from './retry-notes.ts';

/** The options that every command takes. */
export interface CommonOptions {
  readonly store: string;
  readonly url?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
  readonly identityFile?: string;
  readonly json?: boolean;
}

/** What the process gives a command. Tests replace it. */
export interface Terminal {
  readonly stdin: AsyncIterable<Uint8Array> & { readonly isTTY?: boolean; readonly fd?: number };
  readonly stdout: NodeJS.WritableStream & {
    readonly isTTY?: boolean;
    readonly columns?: number;
    readonly writableLength: number;
    readonly writableNeedDrain: boolean;
  };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts at the first SIGINT or SIGTERM; its reason says which. */
  readonly interrupted: AbortSignal;
}

const DEFAULT_URL = 'ws://127.0.0.1:4590/v1/ws';
const CONNECT_TIMEOUT_MS = 5_000;

/** Returns the WebSocket URL for `HOST:PORT`, or for `http://…` and `ws://…` without a path. @throws UsageError */
export function gatewayUrl(text: string, flag = '--url'): string {
  const withScheme = /^[a-z]+:\/\//i.test(text) ? text : `ws://${text}`;
  let url: URL;
  try {
    url = new URL(withScheme.replace(/^http/i, 'ws'));
  } catch {
    throw new UsageError(`${flag} must be a URL such as ${DEFAULT_URL}, got "${text}"`);
  }
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw new UsageError(`${flag} must begin with ws://, wss://, http:// or https://, got ${url.protocol}//`);
  }
  if (url.pathname === '/' || url.pathname === '') url.pathname = '/v1/ws';
  return url.href;
}

/** Returns the WebSocket URL of the gateway that the options or the environment name. @throws UsageError */
export function gatewayUrlOf(options: CommonOptions, terminal: Terminal): string {
  return gatewayUrl(options.url ?? variable(terminal, 'ESDB_GATER_URL') ?? DEFAULT_URL);
}

/** Accepts gateways with a certificate of the authority of `--ca-file`. @throws UsageError */
export function trustAuthority({ caFile }: CommonOptions): void {
  if (caFile !== undefined) trust(readTextFile('--ca-file', caFile));
}

/**
 * Connects to the gateway that the options or the environment name.
 *
 * @param signal closes the client
 * @throws `unavailable` that says why no connection came about; UsageError; the signal's reason
 */
export async function connectGateway(
  options: CommonOptions,
  terminal: Terminal,
  signal: AbortSignal = terminal.interrupted,
): Promise<RemoteGater> {
  const url = gatewayUrlOf(options, terminal);
  const token = tokenOption(options, terminal);
  const identity =
    options.identityFile === undefined ? undefined : readIdentity(options.identityFile, '--identity-file');
  trustAuthority(options);
  try {
    return await connect(
      url,
      {
        ...(token === undefined ? {} : { token }),
        ...(identity === undefined ? {} : { identity }),
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
        signal,
      },
      { logger: retryNotes(terminal) },
    );
  } catch (error) {
    signal.throwIfAborted();
    throw connectProblem(url, error);
  }
}

/** Accepts gateways with a certificate of these authorities, besides those that the system knows. */
function trust(certificates: string): void {
  try {
    // Node.js ignores what is not a certificate, and the connection would fail without a word of the file.
    new X509Certificate(certificates);
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), certificates]);
  } catch (error) {
    throw new UsageError(`--ca-file must be a file of PEM certificates: ${(error as Error).message}`);
  }
}

/** Returns the token that the options or the environment give. */
export function tokenOption(options: CommonOptions, terminal: Terminal): string | undefined {
  if (options.tokenFile === undefined) return variable(terminal, 'ESDB_GATER_TOKEN');
  return readTextFile('--token-file', options.tokenFile);
}

/** Returns a variable of the environment; an empty one is unset. */
export function variable({ env }: Terminal, name: string): string | undefined {
  return env[name] === '' ? undefined : env[name];
}

/** Returns where a command writes its results. */
export function outputOf(options: CommonOptions, terminal: Terminal): Output {
  return createOutput(terminal.stdout, options.json === true, terminal.interrupted);
}

/**
 * Parses the JSON value of an argument.
 *
 * @param member the name of the value in the call
 * @throws UsageError; `invalid_argument` (reason `number`) for a number that parsing would change
 */
export function jsonArgument(name: string, text: string, member: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError(
      `${name} must be valid JSON, got ${describeValue(text)}; a string needs its quotes, as in '"text"'`,
    );
  }
  const found = findInexactNumber(text);
  if (found === undefined) return value;
  throw inexactNumber(found, member);
}

/** Parses an integer of at least `least`. @throws UsageError */
export function integerArgument(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
    throw new UsageError(`${name} must be an integer of at least ${least}, got ${describeValue(text)}`);
  }
  return value;
}
