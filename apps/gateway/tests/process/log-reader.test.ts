import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '@esdb-gater/client';
import { afterAll, expect, test, vi } from 'vitest';
import { cleanEnv, temporaryFolder } from '../support/gateway-process.ts';

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'esdb-gater.js');
const folder = temporaryFolder();
afterAll(() => folder.remove());

/** A gateway whose log goes into a pipe of the kernel and is read up to the line "listening" only. */
async function startUnread(name: string) {
  const fifo = join(folder.path, `${name}.fifo`);
  execFileSync('mkfifo', [fifo]);
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(fifo, constants.O_WRONLY);
  const flags = ['start', '--port', '0', '--data-dir', join(folder.path, name), '--log-level', 'trace'];
  const child = spawn(process.execPath, [BIN, ...flags], {
    stdio: ['ignore', writer, 'ignore'],
    env: cleanEnv(),
  });
  closeSync(writer);
  const url = await vi.waitFor(() => listeningUrl(reader), { timeout: 30_000, interval: 50 });
  return { child, url, close: () => closeSync(reader) };
}

let text = '';
function listeningUrl(reader: number): string {
  const chunk = Buffer.alloc(65_536);
  text += chunk.toString('utf8', 0, readSync(reader, chunk));
  const line = text.split('\n').find((one) => one.includes('"msg":"listening"'));
  if (line === undefined) throw new Error('not listening yet');
  text = '';
  return (JSON.parse(line) as { readonly url: string }).url;
}

/** Makes the gateway log far more than a pipe holds (64 KiB). */
async function makeNoise(url: string): Promise<void> {
  await using gater = await connect(url);
  const missing = { storeId: 'default', streamId: 'x'.repeat(200) };
  for (let i = 0; i < 20; i++) {
    await Promise.allSettled(Array.from({ length: 100 }, () => gater.getEvents(missing)));
  }
}

test('a gateway whose log nobody reads goes on serving and stops on SIGTERM [R23] [F28]', async () => {
  const { child, url, close } = await startUnread('stalled');
  await makeNoise(url);
  const http = url.replace(/^ws/, 'http').replace(/\/v1\/ws$/, '');
  expect((await fetch(`${http}/livez`)).status).toBe(200);
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
  close();
}, 60_000);

test('a gateway whose log reader has ended goes on serving and stops on SIGTERM [R23] [F28]', async () => {
  const { child, url, close } = await startUnread('closed');
  close();
  await makeNoise(url);
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
}, 60_000);
