import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addonFile, platformPackage, platformsOf } from '../../native/platforms.js';

const root = join(import.meta.dirname, '..', '..');

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly keywords?: readonly string[];
  readonly repository?: { readonly type: string; readonly url: string; readonly directory?: string };
  readonly private?: boolean;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly exports?: unknown;
  readonly imports?: unknown;
}

/** A package that was packed as `npm publish` would. */
export interface Tarball {
  readonly name: string;
  readonly file: string;
  /** Paths within the package. */
  readonly contents: readonly string[];
  readonly packedBytes: number;
  readonly installedBytes: number;
}

export function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/** The folders of all packages that are published. */
export function publishedFolders(): readonly string[] {
  const packages = readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name));
  const platforms = readdirSync(join(root, 'native', 'npm')).map((name) => join(root, 'native', 'npm', name));
  return [...packages, join(root, 'apps', 'gateway'), join(root, 'native'), ...platforms].filter(
    (folder) => existsSync(join(folder, 'package.json')) && manifestOf(folder).private !== true,
  );
}

/** Packs folders into `destination`, without running anything of theirs. */
export function pack(folders: readonly string[], destination: string): ReadonlyMap<string, Tarball> {
  const output = npm(root, [
    'pack',
    '--json',
    '--ignore-scripts',
    '--pack-destination',
    destination,
    ...folders,
  ]);
  const packed = Object.values(JSON.parse(output) as object) as {
    name: string;
    filename: string;
    files: { path: string }[];
    size: number;
    unpackedSize: number;
  }[];
  return new Map(
    packed.map(({ name, filename, files, size, unpackedSize }) => [
      name,
      {
        name,
        file: join(destination, filename),
        contents: files.map(({ path }) => path),
        packedBytes: size,
        installedBytes: unpackedSize,
      },
    ]),
  );
}

/** The folder of a package that others publish, as it is installed here. */
export function installedFolder(name: string): string {
  return join(root, 'node_modules', name);
}

/**
 * The platform package of this machine with the addon that was built here, laid out in `folder`; undefined when none
 * was built.
 */
export function stagePlatform(
  folder: string,
): { readonly name: string; readonly folder: string } | undefined {
  const platform = platformsOf(process.platform, process.arch).find((one) =>
    existsSync(join(root, 'native', addonFile(one))),
  );
  if (platform === undefined) return undefined;
  mkdirSync(folder, { recursive: true });
  for (const file of ['package.json', 'README.md']) {
    copyFileSync(join(root, 'native', 'npm', platform.name, file), join(folder, file));
  }
  copyFileSync(join(root, 'native', addonFile(platform)), join(folder, addonFile(platform)));
  return { name: platformPackage(platform), folder };
}

/**
 * Installs only the given tarballs into a new folder, with their install scripts. Other dependencies come from npm's
 * cache or the registry: `npm ci` caches packages, but not the lists of versions.
 */
export function install(folder: string, tarballs: readonly Tarball[]): void {
  mkdirSync(folder, { recursive: true });
  const dependencies = Object.fromEntries(tarballs.map(({ name, file }) => [name, `file:${file}`]));
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, type: 'module', dependencies }),
  );
  npm(folder, ['install', '--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock']);
}

function npm(cwd: string, args: readonly string[]): string {
  return execFileSync('npm', [...args, '--loglevel', 'error'], {
    cwd,
    encoding: 'utf8',
    maxBuffer: 64 * 1_048_576,
  });
}
