import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openEpochFile } from './epoch-file.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'esdb-gater-epochs-'));
  file = join(folder, 'broker-epochs.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('the last state of each run is loaded in the next one, oldest first', async () => {
  const first = await openEpochFile(file);
  expect(first.earlier).toEqual([]);
  await Promise.all([
    first.save({ epoch: 'a', startedMs: 1, published: 0 }),
    first.save({ epoch: 'a', startedMs: 1, published: 7 }),
  ]);
  const second = await openEpochFile(file);
  await second.save({ epoch: 'b', startedMs: 2, published: null });
  expect((await openEpochFile(file)).earlier).toEqual([
    { epoch: 'a', startedMs: 1, published: 7 },
    { epoch: 'b', startedMs: 2, published: null },
  ]);
});

test('the number of runs is bounded', async () => {
  for (let n = 0; n < 70; n++)
    await (await openEpochFile(file)).save({ epoch: `e${n}`, startedMs: n, published: 0 });
  const { earlier } = await openEpochFile(file);
  expect(earlier.length).toBeLessThan(65);
  expect(earlier.at(-1)?.epoch).toBe('e69');
});

test('a file that cannot be read counts as empty', async () => {
  for (const text of ['', '{', '{"lives":7}', '{"lives":[{"epoch":1}]}', '{"lives":[null]}']) {
    writeFileSync(file, text);
    expect((await openEpochFile(file)).earlier).toEqual([]);
  }
});
