import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { serverProperties } from './server-properties.ts';

const dir = mkdtempSync(join(tmpdir(), 'kafka-tool-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function run(options: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const { PATH, KAFKA_BROKERS: _, ...rest } = process.env;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, 'main.ts'), ...options],
    {
      env: { ...rest, PATH, ...environment },
      encoding: 'utf8',
    },
  );
  return { status, stdout, stderr: stderr.split('\n').filter((line) => line.startsWith('kafka: ')) };
}

test.each([
  [[], 'a command is missing'],
  [['begin'], 'there is no command begin'],
  [['start', '--brokers', '2'], '--brokers is 1 or 3, not 2'],
  [['start', '--port', 'x'], '--port is a port from 1 to 65529, not x'],
  [['start', 'stop'], 'one command at a time, not start stop'],
])('%j is wrong usage, reported in one line', (options, complaint) => {
  expect(run(options)).toMatchObject({ status: 2, stderr: [`kafka: ${complaint}`] });
});

test('without Java the start fails with one line that says how to install it', () => {
  expect(run(['start', '--dir', dir], { PATH: dir })).toMatchObject({
    status: 1,
    stderr: [expect.stringMatching(/^kafka: java does not run here: install .*KAFKA_BROKERS$/)],
  });
});

test('running brokers of KAFKA_BROKERS are used, and no broker is started', () => {
  const { status, stdout } = run(['start', '--dir', dir], { PATH: dir, KAFKA_BROKERS: 'elsewhere:9092' });
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: 'ready after 0.0 s: KAFKA_BROKERS=elsewhere:9092\n',
  });
});

test('without a running broker, status exits with 1, and stop succeeds', () => {
  expect(run(['status', '--dir', dir])).toMatchObject({ status: 1, stdout: 'nothing runs\n' });
  expect(run(['stop', '--dir', dir])).toMatchObject({ status: 0, stdout: 'nothing runs\n' });
});

test('three brokers keep three copies, two of which must be there', () => {
  const places = [1, 2, 3].map((nodeId) => ({
    nodeId,
    port: nodeId,
    controllerPort: nodeId + 3,
    advertisedPort: nodeId,
    dataDir: '/d',
  }));
  const [first] = places;
  const properties = first === undefined ? '' : serverProperties(first, places);
  expect(properties).toContain('default.replication.factor=3\n');
  expect(properties).toContain('min.insync.replicas=2\n');
  expect(properties).toContain('controller.quorum.voters=1@127.0.0.1:4,2@127.0.0.1:5,3@127.0.0.1:6\n');
});
