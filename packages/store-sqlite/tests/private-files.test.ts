import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { appendCommand, startChild } from './child.ts';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'esdb-gater-modes-'));
  // So that only the files' own modes count.
  await chmod(folder, 0o755);
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function modes(): Promise<Record<string, string>> {
  const entries: [string, string][] = [];
  for (const name of (await readdir(folder)).toSorted()) {
    entries.push([name, ((await stat(join(folder, name))).mode & 0o777).toString(8)]);
  }
  return Object.fromEntries(entries);
}

const PRIVATE = { 'main.db': '600', 'main.db-shm': '600', 'main.db-wal': '600', 'main.db.lock': '600' };

/** Runs a store under a umask that removes nothing, and kills it in the middle of its appends. */
async function runAndKill(): Promise<void> {
  const command = [
    'sh',
    '-c',
    'umask 0; exec "$@"',
    'sh',
    ...appendCommand(join(folder, 'main.db'), '1', '1000000'),
  ];
  const child = startChild(command, () => child.process.kill('SIGKILL'));
  await child.ended;
}

test('every file of a store is readable by its owner only, whatever the umask [R10] [T37]', async () => {
  await runAndKill();
  expect(await modes()).toEqual(PRIVATE);
});

test('files that an older version left readable for others are closed to them [R10] [T37]', async () => {
  await runAndKill();
  for (const name of Object.keys(PRIVATE)) await chmod(join(folder, name), 0o644);
  await runAndKill();
  expect(await modes()).toEqual(PRIVATE);
});
