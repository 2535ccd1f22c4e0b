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

test('a checkpoint is there after a restart', async () => {
  const first = createCheckpointFile(file, 'uuid');
  expect(await first.load()).toBe(0);
  await first.save(7);
  expect(await createCheckpointFile(file, 'uuid').load()).toBe(7);
});

test('a checkpoint never moves back, also not by saves that overlap', async () => {
  const checkpoint = createCheckpointFile(file, undefined);
  await Promise.all([5, 9, 3].map((position) => checkpoint.save(position)));
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ position: 9 });
});

test('another database under the same name begins at its beginning', async () => {
  await createCheckpointFile(file, 'one').save(7);
  expect(await createCheckpointFile(file, 'two').load()).toBe(0);
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
    expect(await createCheckpointFile(file, 'u').load()).toBe(0);
  }
});
