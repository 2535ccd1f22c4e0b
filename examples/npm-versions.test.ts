import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { versionEvents } from './npm-versions.ts';

const TIMES = {
  created: '2020-01-01T00:00:00.000Z',
  modified: '2024-01-01T00:00:00.000Z',
  '2.0.0': '2021-01-01T00:00:00.000Z',
  '1.0.0': '2020-01-01T00:00:01.000Z',
  '1.0.1': '2021-06-01T00:00:00.000Z',
  unpublished: { name: 'somebody' },
};

describe('npm-versions', () => {
  test('yields the versions in the order of their publication, in one stream', () => {
    const events = versionEvents('@scope/name', TIMES);
    expect(events.map(({ data }) => (data as { version: string }).version)).toEqual([
      '1.0.0',
      '2.0.0',
      '1.0.1',
    ]);
    expect(new Set(events.map(({ streamId }) => streamId))).toEqual(new Set(['npm-@scope/name']));
    expect(versionEvents('@scope/name', TIMES)).toEqual(events);
  });

  test('input that is not a list of times is refused', () => {
    expect(() => versionEvents('name', 'times')).toThrow('must be a JSON object');
  });

  test('reads a file instead of calling npm, and refuses an invalid package name', () => {
    const folder = mkdtempSync(join(tmpdir(), 'npm-versions-'));
    const file = join(folder, 'times.json');
    writeFileSync(file, JSON.stringify({ time: TIMES }));
    const run = (...args: string[]): string =>
      execFileSync(process.execPath, [join(import.meta.dirname, 'npm-versions.ts'), ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    expect(run('--file', file, 'name').trim().split('\n')).toHaveLength(3);
    expect(() => run('--file', file, '--registry=http://evil.example')).toThrow(/usage/);
    expect(() => run('name;rm')).toThrow(/usage/);
    rmSync(folder, { recursive: true });
  });
});
