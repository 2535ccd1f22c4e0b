import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { resolveOptions } from './options.ts';
import { packEvents } from './pack-events.ts';
import { startThread } from './store-thread.ts';
import { ThreadClient } from './thread-client.ts';
import type { WriterCalls } from './thread-messages.ts';

let folder = '';
let worker: Worker | undefined;
let client: ThreadClient<WriterCalls>;
let starts = 0;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'esdb-gater-thread-'));
  starts = 0;
  const options = resolveOptions({ storeId: 'main', file: join(folder, 'main.db'), maxWaitingCalls: 50 });
  const { storeId, file, flush, checkBytes, busyTimeoutMs, tamperEvident } = options;
  const bounds = { flush, checkBytes, busyTimeoutMs };
  const setup = { role: 'writer' as const, storeId, file, tamperEvident, ...bounds };
  client = new ThreadClient(setup, options, {}, async (...args) => {
    starts += 1;
    const thread = await startThread(...args);
    worker = thread.worker;
    return thread;
  });
  await client.start();
});

afterEach(async () => {
  await client.close();
  await rm(folder, { recursive: true });
});

function append(streamId: string): Promise<WriterCalls['append']['result']> {
  const event = { id: crypto.randomUUID(), type: 't', data: '1', metadata: '{}', tags: '[]', tagList: [] };
  return client.call('append', [streamId, -2, packEvents([event])], 100);
}

test('when the thread ends its calls fail with unavailable, and it is started again on the same data', async () => {
  expect(await append('s')).toEqual([0, 1, 1, false]);
  const pending = append('s');
  await worker?.terminate();
  await expect(pending).rejects.toMatchObject({ code: 'unavailable' });
  expect(client.alive).toBe(false);
  await expect(append('s')).rejects.toMatchObject({ code: 'unavailable' });
  while (!client.alive) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(starts).toBe(2);
  const [version] = await append('s');
  // The pending one was committed or not: its caller was told that nobody knows.
  expect([1, 2]).toContain(version);
});

test('more calls than may wait are refused with overloaded, and the others are answered', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 60 }, (_, index) => append(`s${index}`)));
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
  expect(refused).toHaveLength(10);
  expect(refused[0]?.reason).toMatchObject({ code: 'overloaded', retriable: true });
});

test('close keeps the process alive until the thread has ended, also when a late answer arrives', async () => {
  const abort = new AbortController();
  const given = client.call('ping', [], 0, { signal: abort.signal });
  await new Promise((resolve) => process.nextTick(resolve));
  abort.abort();
  await expect(given).rejects.toMatchObject({ code: 'timeout' });
  const unref = vi.spyOn(worker as Worker, 'unref');
  await client.close();
  expect(unref).not.toHaveBeenCalled();
});

test('close answers what is in flight', async () => {
  const pending = append('s');
  await client.close();
  expect(await pending).toEqual([0, 1, 1, false]);
  await expect(append('s')).rejects.toMatchObject({ code: 'unavailable' });
});
