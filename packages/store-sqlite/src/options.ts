import { resolve } from 'node:path';
import { invalidOption, requireInteger, requireOneOf } from '@esdb-gater/primitives';
import { type Clock, isStoreId, type Logger, silentLogger, systemClock } from '@esdb-gater/types';

export interface SqliteStoreOptions {
  readonly storeId: string;
  /** The path of the database. It is created when it does not exist; its folder must exist. */
  readonly file: string;
  /**
   * When appends are flushed to the disk: with every commit, before it is acknowledged, or only when the log is
   * checkpointed. The latter survives the end of the process but not a power loss. @default 'commit'
   */
  readonly flush?: 'commit' | 'checkpoint';
  /**
   * Keeps a chain of hashes per stream, which `verifyStream` checks. In a file without one the chains begin with the next
   * event. Opening a file without this option ends its chains. @default false
   */
  readonly tamperEvident?: boolean;
  /** The maximum of waiting calls, for reads and for writes each. @default 10 000 */
  readonly maxWaitingCalls?: number;
  /** The maximum of bytes of events and snapshots that wait to be written. @default 64 MiB */
  readonly maxWaitingBytes?: number;
  /** Files up to this size are checked completely when opened, at about 200 MB per second. @default 64 MiB */
  readonly checkBytes?: number;
  /**
   * How long writes wait while another program holds the file's write lock. Less than the 2 s that a gateway gives an
   * attempt, so that the caller learns the reason. @default 1 500
   */
  readonly busyTimeoutMs?: number;
  /** @default the system clock */
  readonly clock?: Clock;
  /** @default logs nothing */
  readonly logger?: Logger;
}

export type ResolvedOptions = Readonly<Required<SqliteStoreOptions>>;

/** Checks options and fills in the defaults. @throws `invalid_argument` with the option's name as reason */
export function resolveOptions(options: SqliteStoreOptions): ResolvedOptions {
  if (!isStoreId(options.storeId)) {
    throw invalidOption('storeId', options.storeId, '1 to 64 of A-Z a-z 0-9 _ -');
  }
  if (typeof options.file !== 'string' || options.file === '' || options.file === ':memory:') {
    const expected = 'the path of a database on disk (createMemoryStore keeps one in memory)';
    throw invalidOption('file', options.file, expected);
  }
  return Object.freeze({
    storeId: options.storeId,
    file: resolve(options.file),
    flush: requireOneOf('flush', options.flush ?? 'commit', ['commit', 'checkpoint']),
    tamperEvident: options.tamperEvident === true,
    maxWaitingCalls: requireInteger('maxWaitingCalls', options.maxWaitingCalls ?? 10_000, { min: 1 }),
    maxWaitingBytes: requireInteger('maxWaitingBytes', options.maxWaitingBytes ?? 64 * 1_048_576, { min: 1 }),
    checkBytes: requireInteger('checkBytes', options.checkBytes ?? 64 * 1_048_576, { min: 0 }),
    busyTimeoutMs: requireInteger('busyTimeoutMs', options.busyTimeoutMs ?? 1_500, { min: 0 }),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  });
}
