// `npm run release:version`: gives all packages the version that the files in .changeset ask for, writes it wherever it stands, and brings
// package-lock.json up to date. What it changed is for a person to look at and to commit.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { readManifests } from './same-version.ts';
import { writeVersion } from './version-places.ts';

const root = join(import.meta.dirname, '..', '..');

process.exitCode = main();

function main(): number {
  const before = versionNow();
  const versioned = run('changeset', ['version']);
  if (versioned !== 0) return versioned;
  const version = versionNow();
  if (version === before) {
    process.stderr.write(`nothing to release: .changeset has no changes since ${before}\n`);
    return 1;
  }
  writeVersion(root, version, new Date().toISOString().slice(0, 10));
  return run('npm', ['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund']);
}

function versionNow(): string {
  const [first] = readManifests(root);
  if (first === undefined) throw new Error(`${root} must have packages`);
  return first.version;
}

function run(command: string, args: readonly string[]): number {
  const { error, status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error !== undefined) throw error;
  return status ?? 1;
}
