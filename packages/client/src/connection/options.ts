import { requireNumber } from '@esdb-gater/primitives';
import { type RetryPolicy, type RetryPolicyOptions, retryPolicy } from '@esdb-gater/retry';
import type { Identity } from '@esdb-gater/security';
import {
  type Clock,
  invalidArgument,
  LIMITS,
  type Logger,
  silentLogger,
  systemClock,
} from '@esdb-gater/types';
import { openSocket } from '#socket';
import type { OpenSocket } from '../socket/socket.ts';

/** A token, or where a fresh one comes from each time that a connection is made. */
export type TokenSource = string | (() => string | Promise<string>);

export interface ConnectOptions {
  /**
   * What the connection may do. A function is asked for each connection, so that one whose token has ended comes
   * back; with a text it ends.
   */
  readonly token?: TokenSource;
  /** Proves, on each connection, to be the token's audience. */
  readonly identity?: Identity;
  /** Delays between connections, and between repeated calls; `maxAttempts` bounds the calls only. */
  readonly retry?: RetryPolicyOptions;
  /** Closes the client. */
  readonly signal?: AbortSignal;
  /** Milliseconds for the first connection, all URLs tried. @default 10 000 */
  readonly connectTimeoutMs?: number;
  /** Milliseconds of a call with all its retries, where the call names none. @default 30 000 */
  readonly timeoutMs?: number;
  /** Calls that are under way at once; more wait here. The gateway refuses over 1 024. @default 1 000 */
  readonly maxInFlight?: number;
}

export interface ConnectComponents {
  readonly clock?: Clock;
  /** Told of each repeated call (info, with `method`, `attempt`, `delayMs`, `err`) and each lost connection (debug). */
  readonly logger?: Logger;
  /** Uniform in 0 (inclusive) to 1. @default Math.random */
  readonly random?: () => number;
  /** @default a WebSocket of the platform */
  readonly openSocket?: OpenSocket;
}

export interface ConnectionSettings {
  readonly urls: readonly string[];
  readonly token: TokenSource | undefined;
  readonly identity: Identity | undefined;
  readonly policy: RetryPolicy;
  readonly signal: AbortSignal | undefined;
  readonly connectTimeoutMs: number;
  readonly timeoutMs: number;
  readonly maxInFlight: number;
  readonly frameBytes: number;
  readonly silenceMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly openSocket: OpenSocket;
}

const POSITIVE = { reason: 'connect_options', above: 0 } as const;

function checkUrl(url: unknown): string {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== 'ws:' && parsed?.protocol !== 'wss:') {
    throw invalidArgument('url', 'expected a URL such as ws://127.0.0.1:4590/v1/ws');
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw invalidArgument('url', 'a URL must not carry a user or a password: they end up in logs');
  }
  // The path of the gateway, for those who give an address only.
  if (parsed.pathname === '/' && parsed.search === '') parsed.pathname = '/v1/ws';
  return parsed.href;
}

/** @throws `invalid_argument` (reasons `url`, `connect_options`, `retry_policy`) */
export function completeConnect(
  urls: string | readonly string[],
  options: ConnectOptions,
  components: ConnectComponents,
): ConnectionSettings {
  const list = typeof urls === 'string' ? [urls] : urls;
  if (!Array.isArray(list) || list.length === 0) throw invalidArgument('url', 'expected at least one URL');
  return Object.freeze({
    urls: Object.freeze(list.map(checkUrl)),
    token: options.token,
    identity: options.identity,
    policy: retryPolicy(options.retry),
    signal: options.signal,
    connectTimeoutMs: requireNumber('connectTimeoutMs', options.connectTimeoutMs ?? 10_000, POSITIVE),
    timeoutMs: requireNumber('timeoutMs', options.timeoutMs ?? 30_000, POSITIVE),
    maxInFlight: requireNumber('maxInFlight', options.maxInFlight ?? 1_000, POSITIVE),
    // A gateway that allows itself more than the protocol does is still understood.
    frameBytes: 2 * LIMITS.frameBytes,
    silenceMs: 60_000,
    clock: components.clock ?? systemClock,
    logger: components.logger ?? silentLogger,
    random: components.random ?? Math.random,
    openSocket: components.openSocket ?? openSocket,
  });
}
