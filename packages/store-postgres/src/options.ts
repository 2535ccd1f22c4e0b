import { invalidOption, requireInteger } from '@esdb-gater/primitives';
import { type Clock, isStoreId, type Logger, silentLogger, systemClock } from '@esdb-gater/types';
import { type ConnectionSettings, parseConnectionUrl } from './connection/connection-url.ts';

export interface PostgresStoreOptions {
  readonly storeId: string;
  /**
   * The connection string, as libpq takes it in the form of a URL, with one or more hosts:
   * `postgres://user@host1,host2/database?target_session_attrs=read-write&sslmode=verify-full&sslrootcert=ca.pem&passfile=F`.
   */
  readonly url: string;
  /** The schema of the store's tables, at most 63 bytes. It is made when it does not exist. @default `esdb_gater_<storeId>` */
  readonly schema?: string;
  /** Keeps a chain of hashes per stream, which `verifyStream` checks. It is the same on all nodes. @default false */
  readonly tamperEvident?: boolean;
  /** Connections for reads, beside one for appends and one for notifications. @default 4 */
  readonly maxReaders?: number;
  /** The maximum of waiting writes. @default 10 000 */
  readonly maxWaitingCalls?: number;
  /** The maximum of bytes of events that wait to be written. @default 64 MiB */
  readonly maxWaitingBytes?: number;
  /**
   * False opens the store at once, also while there is no primary: calls are then `unavailable`, `health` says why, and
   * `connected` tells when it is there. @default true
   */
  readonly requirePrimary?: boolean;
  /** How long opening waits for the primary that it requires. @default 10 000 */
  readonly openTimeoutMs?: number;
  /** How long a call waits while there is no primary. @default 1 500 */
  readonly waitForPrimaryMs?: number;
  /** How long appends wait for those of another node. @default 1 500 */
  readonly lockTimeoutMs?: number;
  /** How long a commit may take before its outcome counts as unknown. @default 10 000 */
  readonly commitTimeoutMs?: number;
  /** @default the system clock */
  readonly clock?: Clock;
  /** @default logs nothing */
  readonly logger?: Logger;
}

export type ResolvedOptions = Readonly<Required<Omit<PostgresStoreOptions, 'url'>>> & {
  readonly settings: ConnectionSettings;
};

/** The bytes of a name in PostgreSQL; longer ones are cut off by the server. */
const MAX_NAME_BYTES = 63;

/** Checks options and fills in the defaults. @throws `invalid_argument` with the option's name as reason */
export function resolveOptions(options: PostgresStoreOptions): ResolvedOptions {
  const { storeId } = options;
  if (!isStoreId(storeId)) throw invalidOption('storeId', storeId, '1 to 64 of A-Z a-z 0-9 _ -');
  const schema = options.schema ?? `esdb_gater_${storeId}`;
  if (
    typeof schema !== 'string' ||
    schema === '' ||
    Buffer.byteLength(schema) > MAX_NAME_BYTES ||
    schema.includes('\0')
  ) {
    throw invalidOption('schema', schema, `a name of 1 to ${MAX_NAME_BYTES} bytes`);
  }
  const atLeastOne = (name: keyof PostgresStoreOptions, fallback: number): number =>
    requireInteger(name, options[name] ?? fallback, { min: 1, max: 2_147_483_647 });
  return Object.freeze({
    storeId,
    settings: parseConnectionUrl(options.url),
    schema,
    tamperEvident: options.tamperEvident === true,
    requirePrimary: options.requirePrimary !== false,
    maxReaders: atLeastOne('maxReaders', 4),
    maxWaitingCalls: atLeastOne('maxWaitingCalls', 10_000),
    maxWaitingBytes: atLeastOne('maxWaitingBytes', 64 * 1_048_576),
    openTimeoutMs: atLeastOne('openTimeoutMs', 10_000),
    waitForPrimaryMs: atLeastOne('waitForPrimaryMs', 1_500),
    lockTimeoutMs: atLeastOne('lockTimeoutMs', 1_500),
    commitTimeoutMs: atLeastOne('commitTimeoutMs', 10_000),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  });
}
