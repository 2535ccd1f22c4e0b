import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect } from '@esdb-gater/client';
import { afterAll, expect, test } from 'vitest';
import { temporaryFolder } from '../support/gateway-process.ts';

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'esdb-gater.js');
const folder = temporaryFolder();
afterAll(() => folder.remove());

/** A gateway whose log is read up to the line "listening" only. */
async function startUnread(name: string) {
  const flags = ['start', '--port', '0', '--data-dir', join(folder.path, name), '--log-level', 'trace'];
  const child = spawn(process.execPath, [BIN, ...flags], { stdio: ['ignore', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    const { msg, url } = JSON.parse(line) as { readonly msg: string; readonly url: string };
    if (msg === 'listening') return { child, url };
  }
  throw new Error('the gateway ended before it listened');
}

/** Makes the gateway log far more than a pipe holds (64 KiB). */
async function makeNoise(url: string): Promise<void> {
  await using gater = await connect(url);
  const missing = { storeId: 'default', streamId: 'x'.repeat(200) };
  for (let i = 0; i < 20; i++) {
    await Promise.allSettled(Array.from({ length: 100 }, () => gater.getEvents(missing)));
  }
}

test('a gateway whose log nobody reads goes on serving and stops on SIGTERM', async () => {
  const { child, url } = await startUnread('stalled');
  child.stdout.pause();
  await makeNoise(url);
  const http = url.replace(/^ws/, 'http').replace(/\/v1\/ws$/, '');
  expect((await fetch(`${http}/livez`)).status).toBe(200);
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
}, 60_000);

test('a gateway whose log reader has ended goes on serving and stops on SIGTERM', async () => {
  const { child, url } = await startUnread('closed');
  child.stdout.destroy();
  await makeNoise(url);
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
}, 60_000);
