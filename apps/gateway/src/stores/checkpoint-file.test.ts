import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createCheckpointFile } from './checkpoint-file.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'esdb-gater-checkpoint-'));
  file = join(folder, 'remote.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a checkpoint is loaded after a restart', async () => {
  const first = createCheckpointFile(file, 'uuid');
  expect((await first.load()).position).toBe(0);
  const reached = { position: 7, proof: 'abcdefgh', turn: 1, earlier: [{ position: 3, proof: 'ijklmnop' }] };
  await first.save(reached);
  expect(await createCheckpointFile(file, 'uuid').load()).toEqual(reached);
});

test('a checkpoint never moves back, also not by saves that overlap', async () => {
  const checkpoint = createCheckpointFile(file, undefined);
  await Promise.all([5, 9, 3].map((position) => checkpoint.save({ position })));
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ position: 9 });
});

test('another database under the same name begins at its beginning', async () => {
  await createCheckpointFile(file, 'one').save({ position: 7 });
  expect((await createCheckpointFile(file, 'two').load()).position).toBe(0);
});

test('a file of a release before proofs is read', async () => {
  writeFileSync(file, '{"storeUuid":"u","position":7}\n');
  expect(await createCheckpointFile(file, 'u').load()).toEqual({ position: 7 });
});

test('a file that cannot be understood counts as none', async () => {
  for (const text of [
    '',
    '{',
    'null',
    '{"storeUuid":"u","position":-1}',
    '{"storeUuid":"u","position":"7"}',
  ]) {
    writeFileSync(file, text);
    expect((await createCheckpointFile(file, 'u').load()).position).toBe(0);
  }
});
