import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { backupStore, type CopyProgress, restoreStore, type StoreContents } from '@esdb-gater/store-sqlite';
import { GaterError } from '@esdb-gater/types';
import { loadConfig } from '../../config/load-config.ts';
import { type CommonOptions, outputOf, type Terminal } from '../context.ts';
import { UsageError } from '../exit.ts';
import { jsonLine, plain } from '../output.ts';
import { createProgress } from '../progress.ts';

export interface BackupOptions extends Pick<CommonOptions, 'store' | 'json'> {
  /** The settings of the gateway. */
  readonly config?: string;
  readonly dataDir?: string;
  /** The database itself, for a store that no settings name. */
  readonly storeFile?: string;
  readonly force?: boolean;
}

const MEGABYTE = 1_000_000;

/** `backup FILE`: copies the database of a store on this machine, whether a gateway serves it or not. */
export async function backup(file: string, options: BackupOptions, terminal: Terminal): Promise<void> {
  const source = storeFile(options, terminal);
  if (!existsSync(source)) {
    throw new GaterError('unavailable', `the store ${options.store} has no file ${source}; give --data-dir`);
  }
  const contents = await withProgress(terminal, (onProgress) =>
    backupStore(source, resolve(file), {
      overwrite: options.force === true,
      onProgress,
      signal: terminal.interrupted,
    }),
  );
  await tell(contents, `backed up ${source} to ${file}`, options, terminal);
}

/** `restore FILE`: replaces the database of a store that no process serves by a backup. */
export async function restore(file: string, options: BackupOptions, terminal: Terminal): Promise<void> {
  const target = storeFile(options, terminal);
  const contents = await withProgress(terminal, (onProgress) =>
    restoreStore(resolve(file), target, {
      overwrite: options.force === true,
      onProgress,
      signal: terminal.interrupted,
    }),
  );
  await tell(contents, `restored ${target} from ${file}`, options, terminal);
}

/** Returns the database of a store by the settings of its gateway. @throws UsageError; `invalid_argument` (reason `configuration`) */
function storeFile(options: BackupOptions, terminal: Terminal): string {
  if (options.storeFile !== undefined) return resolve(options.storeFile);
  const { config: file, dataDir, store } = options;
  const { env } = terminal;
  // Only these settings say where a store is. The others may need secrets that whoever makes backups does not have.
  const names = ['ESDB_GATER_DATA_DIR', 'ESDB_GATER_STORES'];
  const config = loadConfig({
    ...(file === undefined ? {} : { file }),
    env: Object.fromEntries(names.map((name) => [name, env[name]])),
    flags: dataDir === undefined ? {} : { 'data-dir': dataDir },
  });
  const configured = Object.hasOwn(config.stores, store) ? config.stores[store] : undefined;
  if (configured !== undefined && configured.engine !== 'sqlite') {
    throw new UsageError(`the store ${store} must have the engine sqlite, got ${configured.engine}`);
  }
  return resolve(configured?.file ?? join(config.dataDir, `${store}.db`));
}

async function withProgress(
  terminal: Terminal,
  copy: (onProgress: (progress: CopyProgress) => void) => Promise<StoreContents>,
): Promise<StoreContents> {
  const progress = createProgress(terminal.stderr, () => performance.now(), 'MB');
  try {
    return await copy(({ doneBytes, totalBytes }) =>
      progress.update(doneBytes, totalBytes, Math.round(doneBytes / MEGABYTE)),
    );
  } finally {
    progress.end();
  }
}

async function tell(
  contents: StoreContents,
  what: string,
  options: BackupOptions,
  terminal: Terminal,
): Promise<void> {
  const { events, position, bytes } = contents;
  const output = outputOf(options, terminal);
  const size = `${(bytes / MEGABYTE).toFixed(1)} MB`;
  const text = `${what}: ${events} events up to position ${position}, ${size}, every page checked`;
  await output.line(output.isForPeople ? plain(text) : jsonLine(contents));
}
