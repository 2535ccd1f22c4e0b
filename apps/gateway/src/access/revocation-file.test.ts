import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFakeClock } from '@esdb-gater/primitives/testing';
import { createRevocation, Identity, type StoredRevocation, tokenId } from '@esdb-gater/security';
import { silentLogger } from '@esdb-gater/types';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openRevocationFile, type RevocationFile } from './revocation-file.ts';

const identity = Identity.generate();
let folder: string;
let file: string;
let kept: StoredRevocation[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'esdb-gater-revocations-'));
  file = join(folder, 'revocations.ndjson');
  kept = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = (): Promise<RevocationFile> =>
  openRevocationFile(file, { clock: createFakeClock(), logger: silentLogger, kept: () => kept });

const example = createRevocation(identity, { cid: tokenId('x') });

function add(log: RevocationFile, i: number): StoredRevocation {
  const entry = { revocation: example, addedAt: i };
  kept.push(entry);
  log.add(entry);
  return entry;
}

test('flushed revocations are loaded when the file is opened again, and only its owner can read it', async () => {
  const log = await open();
  const entries = [1, 2, 3].map((i) => add(log, i));
  await Promise.all([log.flush(), log.flush()]);
  const last = add(log, 4);
  await log.flush();
  await log.close();
  expect((await open()).stored).toEqual([...entries, last]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a torn last line is dropped and written over, a damaged line stops the start', async () => {
  const log = await open();
  const first = add(log, 1);
  await log.flush();
  await log.close();
  appendFileSync(file, '{"revocation":{"cid":"bafkrei');
  const torn = await open();
  expect(torn.stored).toEqual([first]);
  const second = add(torn, 2);
  await torn.flush();
  await torn.close();
  expect((await open()).stored).toEqual([first, second]);

  writeFileSync(file, `${JSON.stringify(first)}\n{"revocation"\n${JSON.stringify(second)}\n`);
  await expect(open()).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringContaining('line 2'),
  });
});

test('the file is compacted when most of its lines have expired [R3]', async () => {
  const log = await open();
  for (let i = 0; i < 2_500; i++) add(log, i);
  await log.flush();
  kept = [];
  const last = add(log, 9_999);
  await log.flush();
  for (let i = 0; i < 1_000; i++) add(log, i);
  await log.flush();
  await log.close();
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(1_001);
  expect(JSON.parse(lines[0] ?? '')).toEqual(last);
});
