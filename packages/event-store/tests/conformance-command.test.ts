import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const COMMAND = join(import.meta.dirname, '..', '..', 'conformance', 'bin', 'conformance.js');
const MODULE = join(import.meta.dirname, 'memory-store-module.ts');

test('the in-memory store proves itself by the command of the conformance package', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [COMMAND, 'store', '--module', MODULE]);
  expect(stdout).toContain('✓ memory store: ');
  expect(stdout).toMatch(/\d+ passed, 0 failed, 4 not supported\n$/);
}, 60_000);
