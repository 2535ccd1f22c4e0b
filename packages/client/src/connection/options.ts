import { invalidOption, requireNumber } from '@esdb-gater/primitives';
import { type RetryPolicy, type RetryPolicyOptions, retryPolicy } from '@esdb-gater/retry';
import {
  type Clock,
  invalidArgument,
  isStoreId,
  LIMITS,
  type Logger,
  silentLogger,
  systemClock,
} from '@esdb-gater/types';
import { onWake, openSocket } from '#socket';
import type { ProvingIdentity } from '../proving-identity.ts';
import type { OpenSocket } from '../socket/socket.ts';

/** A token, or a function that returns a fresh one for each connection. */
export type TokenSource = string | (() => string | Promise<string>);

export interface ConnectOptions {
  /**
   * Authorises the connection. A function is called for each connection, so that the client reconnects after its
   * token has expired; with a string the client ends then.
   */
  readonly token?: TokenSource;
  /** Proves on each connection that this client is the audience of the token. */
  readonly identity?: ProvingIdentity;
  /** Delays between connections and between retries of a call; `maxAttempts` limits the calls only. */
  readonly retry?: RetryPolicyOptions;
  /** Closes the client. */
  readonly signal?: AbortSignal;
  /** Time limit of the first connection, over all URLs. @default 10 000 */
  readonly connectTimeoutMs?: number;
  /** Time limit of a call with all its retries, unless the call has its own. @default 30 000 */
  readonly timeoutMs?: number;
  /** The store of calls that name none. @default none: each call names its store */
  readonly storeId?: string;
  /** How many calls may be in flight; more wait in the client. The gateway refuses more than 1 024. @default 1 000 */
  readonly maxInFlight?: number;
}

export interface ConnectComponents {
  readonly clock?: Clock;
  /** Logs each retry (info, with `method`, `attempt`, `delayMs`, `err`) and each lost connection (debug). */
  readonly logger?: Logger;
  /** Returns a number from 0 (inclusive) to 1 (exclusive). @default Math.random */
  readonly random?: () => number;
  /** @default the WebSocket of the platform */
  readonly openSocket?: OpenSocket;
}

export interface ConnectionSettings {
  readonly urls: readonly string[];
  readonly token: TokenSource | undefined;
  readonly identity: ProvingIdentity | undefined;
  readonly policy: RetryPolicy;
  readonly signal: AbortSignal | undefined;
  readonly connectTimeoutMs: number;
  readonly timeoutMs: number;
  readonly storeId: string | undefined;
  readonly maxInFlight: number;
  readonly frameBytes: number;
  readonly silenceMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly openSocket: OpenSocket;
  /** Calls its argument when the platform may have lost or regained the network; returns what stops this. */
  readonly onWake: (run: () => void) => () => void;
}

const POSITIVE = { reason: 'connect_options', above: 0 } as const;

function requireStoreId(storeId: string | undefined): string | undefined {
  if (storeId === undefined || isStoreId(storeId)) return storeId;
  throw invalidOption('storeId', storeId, '1 to 64 of A-Z a-z 0-9 _ -', { reason: 'connect_options' });
}

function checkUrl(url: unknown): string {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== 'ws:' && parsed?.protocol !== 'wss:') {
    throw invalidArgument(
      'url',
      'a gateway must be a ws:// or wss:// URL, such as ws://127.0.0.1:4590/v1/ws',
    );
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw invalidArgument(
      'url',
      'a URL must not contain a user name or a password, since URLs are logged; pass `token` instead',
    );
  }
  // An address without a path gets the path of the gateway.
  if (parsed.pathname === '/' && parsed.search === '') parsed.pathname = '/v1/ws';
  return parsed.href;
}

/**
 * Validates the options and adds the defaults.
 *
 * @throws `invalid_argument` (reasons `url`, `connect_options`, `retry_policy`)
 */
export function resolveConnect(
  urls: string | readonly string[],
  options: ConnectOptions,
  components: ConnectComponents,
): ConnectionSettings {
  const list = typeof urls === 'string' ? [urls] : urls;
  if (!Array.isArray(list) || list.length === 0)
    throw invalidArgument('url', 'the list of gateways must have at least one URL');
  return Object.freeze({
    urls: Object.freeze(list.map(checkUrl)),
    token: options.token,
    identity: options.identity,
    policy: retryPolicy(options.retry),
    signal: options.signal,
    connectTimeoutMs: requireNumber('connectTimeoutMs', options.connectTimeoutMs ?? 10_000, POSITIVE),
    timeoutMs: requireNumber('timeoutMs', options.timeoutMs ?? 30_000, POSITIVE),
    storeId: requireStoreId(options.storeId),
    maxInFlight: requireNumber('maxInFlight', options.maxInFlight ?? 1_000, POSITIVE),
    // Accepts the frames of a gateway that is configured with a larger limit.
    frameBytes: 2 * LIMITS.frameBytes,
    silenceMs: 60_000,
    clock: components.clock ?? systemClock,
    logger: components.logger ?? silentLogger,
    random: components.random ?? Math.random,
    openSocket: components.openSocket ?? openSocket,
    onWake,
  });
}
