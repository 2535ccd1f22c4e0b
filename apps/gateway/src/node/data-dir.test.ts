import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type DataDir, keptSecret, nodeIdOf, openDataDir } from './data-dir.ts';
import { listenLocally, lockFolder } from './folder-lock.ts';

let folder: string;
let opened: DataDir[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'esdb-gater-data-'));
  opened = [];
});
afterEach(async () => {
  for (const dataDir of opened) await dataDir.release();
  rmSync(folder, { recursive: true });
});

async function open(path = folder): Promise<DataDir> {
  const dataDir = await openDataDir(path);
  opened.push(dataDir);
  return dataDir;
}

test('a node keeps its id and its secret after restarts', async () => {
  const first = await open();
  const [id, secret] = [await nodeIdOf(first, null), await keptSecret(first)];
  await first.release();
  const second = await open();
  expect([await nodeIdOf(second, null), await keptSecret(second)]).toEqual([id, secret]);
  expect(await nodeIdOf(second, 'configured')).toBe('configured');
});

test('the secret is readable by its owner only, also when somebody opened it up', async () => {
  const dataDir = await open();
  await keptSecret(dataDir);
  chmodSync(join(folder, 'hmac-secret'), 0o644);
  await keptSecret(dataDir);
  expect(statSync(join(folder, 'hmac-secret')).mode & 0o777).toBe(0o600);
});

test('two gateways cannot share a folder, and the refusal names it in one line', async () => {
  await open();
  await expect(openDataDir(folder)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining(`${folder} is in use by another gateway`) as string,
  });
});

test('a folder that was let go of can be opened again', async () => {
  await (await open()).release();
  await open();
});

test('a folder with a path too long for a socket is locked too', async () => {
  const long = join(folder, 'x'.repeat(120));
  await open(long);
  await expect(openDataDir(long)).rejects.toMatchObject({ code: 'unavailable' });
});

test('a killed gateway leaves no lock behind', async () => {
  const holder = spawn(process.execPath, [
    '-e',
    `require('node:net').createServer().listen(process.argv[1], () => console.log('held'))`,
    join(folder, 'gateway.lock'),
  ]);
  await once(holder.stdout, 'data');
  await expect(openDataDir(folder)).rejects.toMatchObject({ code: 'unavailable' });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  await open();
});

test.each(['ENOTSUP', 'EOPNOTSUPP', 'EPERM', 'EINVAL'])(
  'a folder on a file system that answers %s to a socket is locked too [R29]',
  async (code) => {
    const listen = (path: string) =>
      path.startsWith(folder)
        ? Promise.reject(Object.assign(new Error(`listen ${code}`), { code }))
        : listenLocally(path);
    const lock = await lockFolder(folder, listen);
    await expect(lockFolder(folder, listen)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('is in use by another gateway') as string,
    });
    await lock.release();
    await (await lockFolder(folder, listen)).release();
  },
);

test('only the owner can access the folder and its files, including existing files [R10] [T37]', async () => {
  const path = join(folder, 'data');
  mkdirSync(join(path, 'checkpoints'), { recursive: true, mode: 0o755 });
  for (const name of ['old.db', 'node-id', join('checkpoints', 'a.json')]) {
    writeFileSync(join(path, name), 'old');
    chmodSync(join(path, name), 0o644);
  }
  const dataDir = await open(path);
  await keptSecret(dataDir);
  await dataDir.keep('made', () => 'text');
  const modes = readdirSync(path, { recursive: true, withFileTypes: true }).map((entry) => [
    entry.isDirectory() ? 'folder' : 'file',
    (statSync(join(entry.parentPath, entry.name)).mode & 0o777).toString(8),
  ]);
  expect(modes.length).toBe(7);
  expect(new Set(modes.map(String))).toEqual(new Set(['folder,700', 'file,600']));
  expect(statSync(path).mode & 0o777).toBe(0o700);
});

test('a path that cannot be a folder is refused', async () => {
  writeFileSync(join(folder, 'file'), '');
  await expect(openDataDir(join(folder, 'file', 'data'))).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('ENOTDIR') as string,
  });
});
