import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { RecordedEvent } from '@esdb-gater/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type GatewayProcess,
  jsonLines,
  runCli,
  spawnCli,
  startGatewayProcess,
  temporaryFolder,
} from '../support/gateway-process.ts';

const folder = temporaryFolder();
let gateway: GatewayProcess;

beforeAll(async () => {
  gateway = await startGatewayProcess(folder.path);
});

afterAll(async () => {
  await gateway?.stop();
  folder.remove();
});

const cli = (args: readonly string[], stdin?: string) =>
  runCli(args, { env: { ESDB_GATER_URL: gateway.url }, ...(stdin === undefined ? {} : { stdin }) });

describe('the command line', () => {
  test('appends events and reads them forward and backward', async () => {
    const first = await cli(['append', 'users-1', '--type', 'user_created', '--data', '{"n":1}', '--json']);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(jsonLines(first.stdout)).toMatchObject([{ version: 0, count: 1, duplicate: false }]);
    const more = '{"type":"user_renamed","data":{"n":2}}\n{"type":"user_left","data":{"n":3}}\n';
    expect((await cli(['append', 'users-1', '--expected-version', '0'], more)).code).toBe(0);

    const forward = await cli(['read', 'users-1']);
    expect(jsonLines<RecordedEvent>(forward.stdout).map(({ version }) => version)).toEqual([0, 1, 2]);
    const backward = await cli(['read', 'users-1', '--backward', '--count', '2']);
    expect(jsonLines<RecordedEvent>(backward.stdout).map(({ data }) => data)).toEqual([{ n: 3 }, { n: 2 }]);
  });

  test('refuses a stale expected version with both numbers and exit 1', async () => {
    await cli(['append', 'stale-1', '--type', 't', '--data', '1']);
    await cli(['append', 'stale-1', '--type', 't', '--data', '2']);
    const { code, stdout, stderr } = await cli([
      'append',
      'stale-1',
      '--type',
      't',
      '--expected-version',
      '0',
    ]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^wrong_expected_version: .*expected=0, actual=1/);
    expect(stderr.trimEnd()).not.toContain('\n');
  });

  test('refuses a message on alerts without a signature, and signs it with --sign', async () => {
    const refused = await cli(['publish', 'alerts', 'disk.full', '{"host":"a"}']);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toMatch(/^signature_required: /);
    const signed = await cli([
      'publish',
      'alerts',
      'disk.full',
      '{"host":"a"}',
      '--sign',
      '--data-dir',
      folder.path,
    ]);
    expect(signed).toMatchObject({ code: 0, stderr: '' });
  });

  test('stores the secret of signatures in a file that only its owner can read', () => {
    expect(statSync(join(folder.path, 'hmac-secret')).mode & 0o777).toBe(0o600);
    const secret = readFileSync(join(folder.path, 'hmac-secret'), 'utf8').trim();
    expect(gateway.log.join('\n')).not.toContain(secret);
  });

  test('gets exactly one rate_limited for 101 messages on health within half a second', async () => {
    const lines = (run: number) =>
      Array.from({ length: 101 }, (_, n) => JSON.stringify({ topic: `node.${run}`, message: { n } })).join(
        '\n',
      );
    // On a busy machine a burst may take longer than half a second, and then more than 100 may pass: only one that was
    // quick enough says something. The messages contain the time of their publication.
    for (let run = 0; ; run += 1) {
      const { code, stdout, stderr } = await cli(['publish', 'health', '--json'], lines(run));
      const published = jsonLines<{ id: string }>(stdout).map(({ id }) =>
        Number.parseInt(id.replace('-', '').slice(0, 12), 16),
      );
      if (Math.max(...published) - Math.min(...published) > 500 && run < 10) continue;
      expect(code).toBe(1);
      expect(published).toHaveLength(100);
      const errors = stderr.trim().split('\n');
      expect(errors).toHaveLength(1);
      expect(JSON.parse((errors[0] as string).replace(/^line \d+: /, ''))).toMatchObject({
        code: 'rate_limited',
        retriable: true,
        retryAfterMs: expect.any(Number),
      });
      break;
    }
  });

  test('shows a subscriber in one terminal what another appends', async () => {
    const subscriber = spawnCli(['subscribe', 'events', 'default.*.commit_recorded', '--url', gateway.url]);
    const [notice] = await once(subscriber.stderr as NodeJS.ReadableStream, 'data');
    expect(String(notice)).toContain('subscribed');
    const lines = createInterface({ input: subscriber.stdout as NodeJS.ReadableStream });
    const line = once(lines, 'line');
    await cli(['append', 'repo-1', '--type', 'something_else']);
    await cli(['append', 'repo-1', '--type', 'commit_recorded', '--data', '{"hash":"abc"}']);
    const message = JSON.parse(String((await line)[0])) as { topic: string; message: RecordedEvent };
    expect(message).toMatchObject({
      topic: 'default.repo-1.commit_recorded',
      message: { streamId: 'repo-1', data: { hash: 'abc' } },
    });
    subscriber.kill('SIGINT');
    expect(await once(subscriber, 'exit')).toEqual([0, null]);
  });

  test('imports NDJSON, and does not write duplicates when it is run again', async () => {
    const file = join(folder.path, 'events.ndjson');
    const lines = Array.from({ length: 3_000 }, (_, n) =>
      JSON.stringify({ streamId: `import-${n % 7}`, type: 'imported', data: { n } }),
    );
    writeFileSync(file, lines.join('\n'));
    const first = await cli(['import', file, '--json']);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(jsonLines(first.stdout)).toEqual([{ written: 3_000, present: 0, streams: 7 }]);
    const again = await cli(['import', file, '--json']);
    expect(jsonLines(again.stdout)).toEqual([{ written: 0, present: 3_000, streams: 7 }]);
    const stream = jsonLines<{ data: { n: number } }>((await cli(['read', 'import-3'])).stdout);
    expect(stream.map(({ data }) => data.n)).toEqual(
      Array.from({ length: 3_000 }, (_, n) => n).filter((n) => n % 7 === 3),
    );
  });

  test('refuses an invalid line of an import by its number and keeps the events before it', async () => {
    const { code, stderr } = await cli(
      ['import'],
      '{"streamId":"bad-line","type":"t","data":1}\n\n{"streamId":"bad-line","data":2}\n',
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/^invalid_argument: line 3 is not a valid event: `type` is/);
    expect(jsonLines((await cli(['read', 'bad-line'])).stdout)).toHaveLength(1);
  });

  test('prints the health of the gateway', async () => {
    const { code, stdout } = await cli(['health', '--json']);
    expect(code).toBe(0);
    expect(jsonLines(stdout)).toMatchObject([
      { status: 'healthy', stores: { default: { status: 'healthy' } } },
    ]);
  });

  test.each([
    ['an unknown command', ['frobnicate']],
    ['an unknown option', ['read', 'a', '--frobnicate']],
    ['a missing argument', ['append']],
    ['data that is not JSON', ['append', 'a', '--type', 't', '--data', '{']],
    ['an invalid expected version', ['append', 'a', '--type', 't', '--expected-version', '-3']],
    ['an invalid --from', ['subscribe', 'events', '>', '--from', 'yesterday']],
    ['neither a stream nor --all', ['read']],
  ])('exits with 2 for %s', async (_, args) => {
    const { code, stdout, stderr } = await cli(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).not.toBe('');
  });

  test('reports that no gateway answers instead of hanging', async () => {
    const { code, stderr } = await runCli(['read', 'a', '--url', '127.0.0.1:9']);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^unavailable: cannot connect to ws:\/\/127\.0\.0\.1:9\/v1\/ws: connection refused/,
    );
  });

  test('names the wrong setting when it does not start', async () => {
    const wrongKey = await runCli(['start', '--data-dir', folder.path, '--channels-health-max-rat', '5']);
    expect(wrongKey).toMatchObject({ code: 2 });
    expect(wrongKey.stderr).toContain('--channels-health-max-rat');
    const wrongValue = await runCli(['start', '--data-dir', folder.path, '--port', 'many']);
    expect(wrongValue).toMatchObject({ code: 1 });
    expect(wrongValue.stderr).toContain('port');
    expect(wrongValue.stderr.trimEnd()).not.toContain('\n');
  });
});
