import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { describeAddon } from './addon.ts';

const CALLS = process.env['ESDB_GATER_FAULTS'] === '1' ? 10_000_000 : 200_000;
/**
 * The difference of heap and allocator that is not a leak; eight bytes per call would be 80 MB after 10 million calls.
 */
const SLACK_BYTES = 40 * 1024 * 1024;
const LIMIT_MS = 300_000;

describeAddon('the memory of the native engine', () => {
  test(`stays bounded over ${CALLS} calls`, { timeout: LIMIT_MS }, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--expose-gc',
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, 'leak-child.ts'),
      `${CALLS}`,
    ]);
    const { before, after } = JSON.parse(stdout) as { readonly before: number; readonly after: number };
    expect(after - before).toBeLessThan(SLACK_BYTES);
  });
});
