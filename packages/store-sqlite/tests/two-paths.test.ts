import { execFileSync } from 'node:child_process';
import { link, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '@esdb-gater/store-sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AppendChild, appendCommand, startChild } from './child.ts';

let folder = '';
let file = '';
let child: AppendChild;
const mounts: string[] = [];

/** A process that has the file open, and appends to it. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'esdb-gater-paths-'));
  file = join(folder, 'main.db');
  const acknowledged = Promise.withResolvers<void>();
  child = startChild(appendCommand(file, '1', '1000000'), () => acknowledged.resolve());
  await acknowledged.promise;
});

afterEach(async () => {
  child.process.kill('SIGKILL');
  await child.ended;
  for (const mount of mounts.splice(0)) execFileSync('umount', [mount]);
  await rm(folder, { recursive: true });
});

const open = (path: string) => openSqliteStore({ storeId: 'main', file: path });

const canMount = process.platform === 'linux' && process.getuid?.() === 0 && mountWorks();

function mountWorks(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'mount', '--bind', '/tmp', '/tmp'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function bind(from: string, to: string): void {
  execFileSync('mount', ['--bind', from, to]);
  mounts.push(to);
}

test('a file that a second process opens through a hard link is refused, naming the reason and the remedy [R14] [F24]', async () => {
  const other = join(folder, 'other.db');
  await link(file, other);
  for (const path of [other, file]) {
    await expect(open(path)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/must have one name, got 2 hard links; remove the others/),
    });
  }
  child.process.kill('SIGKILL');
  await child.ended;
  await rm(other);
  const store = await open(file);
  expect((await store.readAll({ storeId: 'main' })).events.length).toBeGreaterThan(0);
  await store.close();
});

test.skipIf(!canMount)(
  'a file that a second process opens through a bind mount of it is refused (needs root and mount) [R14] [F24]',
  async () => {
    const other = join(folder, 'with blank \\ and more.db');
    await writeFile(other, '');
    bind(file, other);
    await expect(open(other)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/must not be a mount point.*mount its folder instead/),
    });
  },
);

test.skipIf(!canMount)(
  'a second process that opens the file through a bind mount of its folder finds the lock (needs root and mount) [R14] [F24]',
  async () => {
    const outside = await mkdtemp(join(tmpdir(), 'esdb-gater-mounted-'));
    bind(folder, outside);
    await expect(open(join(outside, 'main.db'))).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('is open already'),
    });
    child.process.kill('SIGKILL');
    await child.ended;
    const store = await open(join(outside, 'main.db'));
    expect((await store.readAll({ storeId: 'main' })).events.length).toBeGreaterThan(0);
    await store.close();
    execFileSync('umount', [mounts.pop() as string]);
    await rm(outside, { recursive: true });
  },
);
