import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { main } from './main.ts';

const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-conformance-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function moduleOf(name: string, source: string): string {
  const file = join(folder, name);
  writeFileSync(file, source);
  return file;
}

const NOTHING_OPENS = moduleOf(
  'broken.mjs',
  `export const name = 'mine';
   export const supports = { snapshots: false };
   export async function open() { throw new Error('no disk'); }`,
);

async function run(...args: string[]) {
  const output = { stdout: '', stderr: '' };
  const code = await main(
    args,
    { write: (text) => (output.stdout += text) },
    { write: (text) => (output.stderr += text) },
  );
  return { code, ...output };
}

test('an adapter that keeps no promise fails every case that it supports, and the command exits with 1', async () => {
  const { code, stdout } = await run('store', '--module', NOTHING_OPENS);
  expect(code).toBe(1);
  expect(stdout).toContain('✗ mine: ');
  expect(stdout).toContain('Error: no disk');
  expect(stdout).toContain('- mine: snapshots are listed newest first\n    needs snapshots\n');
  expect(stdout).toMatch(/\n0 passed, \d+ failed, \d+ not supported\n$/);
});

test('with --json every line is a value, the last one the counts and what is supported', async () => {
  const { stdout } = await run('store', '--module', NOTHING_OPENS, '--only', 'duplicate', '--json');
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.length).toBeGreaterThan(2);
  expect(lines[0]).toMatchObject({
    outcome: expect.any(String),
    title: expect.stringContaining('duplicate'),
  });
  expect(lines.at(-1)).toMatchObject({
    passed: 0,
    supports: { snapshots: false, deletion: true, durability: false },
  });
});

test('--list prints the cases of a broker without running them', async () => {
  const { code, stdout } = await run('broker', '--module', NOTHING_OPENS, '--list');
  expect(code).toBe(0);
  expect(stdout.split('\n').length).toBeGreaterThan(20);
  expect(stdout).not.toContain('no disk');
});

test('--help shows the usage', async () => {
  const { code, stdout } = await run('--help');
  expect([code, stdout.startsWith('Usage: conformance store|broker|discovery|worker --module FILE')]).toEqual(
    [0, true],
  );
});

test('a wrong use is one line on standard error, and exit 2', async () => {
  const none = moduleOf('none.mjs', 'export const opened = 1;');
  const claims = moduleOf(
    'claims.mjs',
    'export const supports = { durability: true }; export function open() {}',
  );
  for (const [args, text] of [
    [[], 'expected store, broker, discovery, worker or gateway, got ""'],
    [['engine'], 'expected store, broker, discovery, worker or gateway, got "engine"'],
    [['store'], '--module FILE is missing'],
    [['gateway'], 'gateway needs one ws:// or wss:// URL, got ""'],
    [['gateway', 'ws://a', '--token-file', join(folder, 'absent')], 'cannot read --token-file'],
    [['worker', '--module', none], 'must export a function `start`'],
    [['store', '--module', join(folder, 'absent.mjs')], 'cannot import'],
    [['store', '--module', none], 'must export a function `open` that opens an empty store'],
    [['store', '--module', claims], '`supports.durability` needs the function `reopen`'],
    [
      ['store', '--module', NOTHING_OPENS, '--timeout-ms', 'soon'],
      '--timeout-ms must be an integer from 1, got "soon"',
    ],
    [['store', '--module', NOTHING_OPENS, '--only', 'xyzzy'], 'no case was run'],
    [['store', '--modul', NOTHING_OPENS], '--modul'],
  ] as const) {
    const { code, stderr } = await run(...args);
    expect(stderr).toContain(text);
    expect([code, stderr.split('\n').length]).toEqual([2, 2]);
  }
});
