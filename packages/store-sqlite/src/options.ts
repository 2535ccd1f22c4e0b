import { resolve } from 'node:path';
import { invalidOption, requireInteger, requireOneOf } from '@esdb-gater/primitives';
import { type Clock, isStoreId, type Logger, silentLogger, systemClock } from '@esdb-gater/types';

export interface SqliteStoreOptions {
  readonly storeId: string;
  /** The database. It is made when it is not there; its folder must be. */
  readonly file: string;
  /**
   * When what was appended is flushed to the disk: with every commit, before it is acknowledged, or only when the log
   * is moved into the file. The latter survives the end of the process, not the loss of power. @default 'commit'
   */
  readonly flush?: 'commit' | 'checkpoint';
  /** Most calls of each kind, writing and reading, that may wait. @default 10 000 */
  readonly maxWaitingCalls?: number;
  /** Most bytes of events and snapshots that may wait to be written. @default 64 MiB */
  readonly maxWaitingBytes?: number;
  /** Files up to this size are checked whole when they are opened, about 200 MB a second. @default 64 MiB */
  readonly checkBytes?: number;
  /** How long an outside program may hold the file for writing. @default 5 000 */
  readonly busyTimeoutMs?: number;
  /** @default the platform's */
  readonly clock?: Clock;
  /** @default silent */
  readonly logger?: Logger;
}

export type CompleteOptions = Readonly<Required<SqliteStoreOptions>>;

/** @throws `invalid_argument` with the option's name as reason */
export function completeOptions(options: SqliteStoreOptions): CompleteOptions {
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
    maxWaitingCalls: requireInteger('maxWaitingCalls', options.maxWaitingCalls ?? 10_000, { min: 1 }),
    maxWaitingBytes: requireInteger('maxWaitingBytes', options.maxWaitingBytes ?? 64 * 1_048_576, { min: 1 }),
    checkBytes: requireInteger('checkBytes', options.checkBytes ?? 64 * 1_048_576, { min: 0 }),
    busyTimeoutMs: requireInteger('busyTimeoutMs', options.busyTimeoutMs ?? 5_000, { min: 0 }),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  });
}
