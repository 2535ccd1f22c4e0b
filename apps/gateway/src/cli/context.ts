import { connect, type Gater } from '@esdb-gater/client';
import { GaterError } from '@esdb-gater/types';
import { UsageError } from './exit.ts';
import { readIdentity, readTextFile } from './files.ts';
import { createOutput, type Output } from './output.ts';
import { retryNotes } from './retry-notes.ts';

/** The options that every command takes. */
export interface CommonOptions {
  readonly store: string;
  readonly url?: string;
  readonly tokenFile?: string;
  readonly identityFile?: string;
  readonly json?: boolean;
}

/** What the process gives to a command; replaced in tests. */
export interface Terminal {
  readonly stdin: AsyncIterable<Uint8Array> & { readonly isTTY?: boolean };
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly writableLength: number };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends at the first SIGINT or SIGTERM. */
  readonly interrupted: AbortSignal;
}

const DEFAULT_URL = 'ws://127.0.0.1:4590/v1/ws';
const CONNECT_TIMEOUT_MS = 5_000;

/** `HOST:PORT`, `http://…` and `ws://…` without a path all mean the gateway's WebSocket. */
function gatewayUrl(text: string): string {
  const withScheme = /^[a-z]+:\/\//i.test(text) ? text : `ws://${text}`;
  let url: URL;
  try {
    url = new URL(withScheme.replace(/^http/i, 'ws'));
  } catch {
    throw new UsageError(`--url: "${text}" is no URL; expected something like ${DEFAULT_URL}`);
  }
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw new UsageError(`--url: expected ws://, wss://, http:// or https://, not ${url.protocol}//`);
  }
  if (url.pathname === '/' || url.pathname === '') url.pathname = '/v1/ws';
  return url.href;
}

/** Connects to the gateway that the options or the environment name. */
export async function connectGateway(options: CommonOptions, terminal: Terminal): Promise<Gater> {
  const url = gatewayUrl(options.url ?? terminal.env['ESDB_GATER_URL'] ?? DEFAULT_URL);
  const token = tokenOption(options, terminal.env);
  const identity =
    options.identityFile === undefined ? undefined : readIdentity(options.identityFile, '--identity-file');
  try {
    return await connect(
      url,
      {
        ...(token === undefined ? {} : { token }),
        ...(identity === undefined ? {} : { identity }),
        signal: terminal.interrupted,
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
      },
      { logger: retryNotes(terminal) },
    );
  } catch (error) {
    if (GaterError.is(error) && error.code !== 'unavailable') throw error;
    throw new GaterError('unavailable', `no gateway answers at ${url}; is it started ("esdb-gater start")?`, {
      cause: error,
    });
  }
}

function tokenOption(options: CommonOptions, env: Terminal['env']): string | undefined {
  if (options.tokenFile === undefined) return env['ESDB_GATER_TOKEN'];
  return readTextFile('--token-file', options.tokenFile);
}

export function outputOf(options: CommonOptions, terminal: Terminal): Output {
  return createOutput(terminal.stdout, options.json === true);
}

/** The JSON value that an argument carries. @throws UsageError */
export function jsonArgument(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${name}: "${text}" is not valid JSON; a string needs its quotes, as in '"text"'`);
  }
}

/** A whole number at least `least`. @throws UsageError */
export function integerArgument(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
    throw new UsageError(`${name}: "${text}" is not a whole number of at least ${least}`);
  }
  return value;
}
