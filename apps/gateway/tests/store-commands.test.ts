import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { RecordedEvent } from '@esdb-gater/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './support/in-process.ts';
import { runInProcess } from './support/terminal.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({ stores: '{"default":{"engine":"memory"}}' });
  for (const [stream, type, ...rest] of [
    ['users-1', 'created', '--tag', 'eu', '--tag', 'paid'],
    ['users-1', 'renamed', '--tag', 'eu'],
    ['users-2', 'created', '--tag', 'us', '--tag', 'paid'],
    ['orders-1', 'placed', '--data', '{"note":"\\u001b[31mred"}'],
  ] as const) {
    await cli(['append', stream, '--type', type, ...rest]);
  }
});
afterAll(() => gateway.close());

type Options = Parameters<typeof runInProcess>[1];
const cli = (args: readonly string[], options: Options = {}) =>
  runInProcess(args, { env: { ESDB_GATER_URL: gateway.url }, ...options });
const values = <Value>(text: string): Value[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Value);

describe('read and subscribe', () => {
  test('are a line for each at a terminal, and NDJSON elsewhere', async () => {
    const people = await cli(['read', 'users-1'], { isTTY: true });
    expect(people.stdout).toMatch(/^ +1 {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ {2}users-1@0 +created +null\n/);
    expect(values<RecordedEvent>((await cli(['read', 'users-1'])).stdout)[1]).toMatchObject({
      type: 'renamed',
    });
    const json = await cli(['read', 'users-1', '--json'], { isTTY: true });
    expect(values(json.stdout)).toHaveLength(2);

    const args = ['subscribe', 'events', 'default.orders-1.*', '--from', 'earliest', '--count', '1'];
    const { stdout } = await cli(args, { isTTY: true });
    expect(stdout).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ {2}default\.orders-1\.placed +\{"note":"\\u001b/,
    );
    expect(stdout).not.toContain('\u001b');
    expect(values((await cli(args)).stdout)).toMatchObject([{ message: { streamId: 'orders-1' } }]);
  });

  test('show a message that is not an event as it is', async () => {
    await cli(['publish', 'system', 'deploys.done', '{"version":"1.2.0"}']);
    const args = ['subscribe', 'system', 'deploys.*', '--from', 'earliest', '--count', '1'];
    expect((await cli(args, { isTTY: true })).stdout).toMatch(
      / {2}deploys\.done +\{"version":"1\.2\.0"\}\n$/,
    );
  });
});

describe('streams and delete', () => {
  test('list the names, all or those with a prefix, as JSON or for people', async () => {
    const all = await cli(['streams']);
    expect(values(all.stdout)).toEqual([
      { streamId: 'orders-1' },
      { streamId: 'users-1' },
      { streamId: 'users-2' },
    ]);
    const some = await cli(['streams', 'users-', '--count', '1'], { isTTY: true });
    expect(some).toMatchObject({ code: 0, stdout: 'users-1\n', stderr: '' });
    const json = await cli(['streams', 'users-', '--count', '1', '--json'], { isTTY: true });
    expect(values(json.stdout)).toEqual([{ streamId: 'users-1' }]);
  });

  test('delete a stream at an expected version', async () => {
    await cli(['append', 'gone', '--type', 't']);
    const wrong = await cli(['delete', 'gone', '--expected-version', '4']);
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong.stderr).toMatch(/^wrong_expected_version: .*\n$/);
    const deleted = await cli(['delete', 'gone', '--expected-version', '0'], { isTTY: true });
    expect(deleted.stdout).toBe('deleted gone, whose last version was 0\n');
    expect((await cli(['streams', 'gone'])).stdout).toBe('');
    expect((await cli(['delete', 'gone'])).stderr).toMatch(/^stream_deleted: /);
  });
});

describe('query', () => {
  const found = async (...args: string[]) => {
    const { stdout } = await cli(['query', ...args]);
    return values<RecordedEvent>(stdout).map(({ streamId, version }) => `${streamId}@${version}`);
  };

  test('selects by any of the types and all of the tags, or by a whole query', async () => {
    expect(await found('--type', 'created')).toEqual(['users-1@0', 'users-2@0']);
    expect(await found('--type', 'created', '--type', 'renamed', '--tag', 'eu')).toEqual([
      'users-1@0',
      'users-1@1',
    ]);
    expect(await found('--tag', 'paid', '--tag', 'us')).toEqual(['users-2@0']);
    const items = '[{"types":["renamed"]},{"tags":["us"]}]';
    expect(await found('--query', items, '--count', '1')).toEqual(['users-1@1']);
    expect(await found('--query', `{"items":${items}}`, '--after', '2')).toEqual(['users-2@0']);
  });

  test('is a line per event for people, in which no event can move the cursor', async () => {
    const { stdout } = await cli(['query', '--type', 'placed'], { isTTY: true });
    expect(stdout).toMatch(
      /^ +4 {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ {2}orders-1@0 +placed +\{"note":"\\u001b/,
    );
    expect(stdout).not.toContain('\u001b');
  });

  test.each([
    [[], 'give --type, --tag or --query'],
    [['--type', 'a', '--query', '[]'], 'give either --query or --type and --tag'],
    [['--query', 'x'], '--query must be valid JSON'],
  ])('refuses %j as wrong usage', async (args, message) => {
    const { code, stdout, stderr } = await cli(['query', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});

test('append is refused when an event matches its condition', async () => {
  const condition = '{"failIfEventsMatch":{"items":[{"tags":["us"]}]}}';
  const refused = await cli(['append', 'users-3', '--type', 'created', '--condition', condition]);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(/^append_condition_failed: .*position=3/);
  const after = '{"failIfEventsMatch":{"items":[{"tags":["us"]}]},"after":3}';
  expect((await cli(['append', 'other', '--type', 't', '--condition', after])).code).toBe(0);
});

describe('follow', () => {
  test('prints what is there and each new event, and ends without an error by Ctrl-C', async () => {
    const interruption = new AbortController();
    const lines: string[] = [];
    const seen = Promise.withResolvers<void>();
    const late = Promise.withResolvers<void>();
    const running = cli(['follow', 'users-1'], {
      interrupted: interruption.signal,
      onOutput(text) {
        lines.splice(0, lines.length, ...text.split('\n').filter((line) => line !== ''));
        if (lines.length >= 2) seen.resolve();
        if (lines.length === 3) late.resolve();
      },
    });
    await seen.promise;
    await cli(['append', 'users-1', '--type', 'left']);
    await late.promise;
    interruption.abort(new Error('Ctrl-C'));
    expect(await running).toMatchObject({ code: 0, stderr: '' });
    expect(values<RecordedEvent>(lines.join('\n')).map(({ type }) => type)).toEqual([
      'created',
      'renamed',
      'left',
    ]);
  });

  test('follows a query or the whole store from a position, and tells people when it has caught up', async () => {
    const byTag = await cli(['follow', '--tag', 'paid', '--count', '2']);
    expect(values(byTag.stdout).length).toBe(2);
    const store = await cli(['follow', '--all', '--after', '2', '--count', '1'], { isTTY: true });
    expect(store.stdout).toMatch(/^ +3 .*users-2@0/);
    const lost = await cli(['follow', '--all', '--after', '999999']);
    expect(lost.code).toBe(1);
    expect(lost.stderr).toMatch(/^invalid_argument: .*reason=position_lost/);
    for (const wrong of [[], ['users-1', '--all']]) {
      expect((await cli(['follow', ...wrong])).code).toBe(2);
    }
  });
});

describe('subscription', () => {
  const subscription = (args: readonly string[], options?: Options) =>
    cli(['subscription', ...args], options);

  test('create makes one, list shows it with its lag, consume reads and acknowledges', async () => {
    const created = await subscription(['create', 'mail', '--type', 'created', '--max-retries', '0']);
    expect(values(created.stdout)).toMatchObject([{ name: 'mail', type: 'event_type', selector: 'created' }]);
    const first = await subscription(['consume', 'mail', '--count', '1']);
    expect(values(first.stdout)).toMatchObject([{ streamId: 'users-1', version: 0, attempt: 1 }]);
    const second = await subscription(['consume', 'mail', '--count', '1'], { isTTY: true });
    expect(second.stdout).toMatch(/users-2@0 +created/);
    const list = await subscription(['list'], { isTTY: true });
    const [head, row] = list.stdout.split('\n');
    expect(head).toMatch(/^NAME +CHECKPOINT +LAG +PARKED +CONSUMERS +CREATED +SELECTS$/);
    expect(row).toMatch(/^mail +\d+ +\d+ +0 +0 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ +event_type "created"$/);
    // The columns of the row begin where those of the head do.
    expect(row?.indexOf('event_type')).toBe(head?.indexOf('SELECTS'));
  });

  test('parked events are listed and replayed', async () => {
    const { connect } = await import('@esdb-gater/client');
    await subscription(['create', 'broken', '--stream', 'users-2']);
    await using client = await connect(gateway.url);
    const joined = await client.saveSubscription({
      storeId: 'default',
      name: 'broken',
      type: 'stream',
      selector: 'users-2',
    });
    for await (const { nack } of joined) {
      await nack({ action: 'park', reason: 'no such\naddress' });
      break;
    }
    await joined.unsubscribe();
    const parked = await subscription(['parked', 'broken'], { isTTY: true });
    expect(parked.stdout).toMatch(
      /^POSITION +EVENT +TYPE +ATTEMPTS +PARKED +ID +REASON\n3 +users-2@0 +created +1 .* no such\\u000aaddress\n$/,
    );
    const [one] = values<{ event: { id: string } }>((await subscription(['parked', 'broken'])).stdout);
    const replayed = await subscription(['replay', 'broken', one?.event.id ?? '']);
    expect(values(replayed.stdout)).toEqual([{ count: 1 }]);
    const again = await subscription(['consume', 'broken', '--count', '1']);
    expect(values(again.stdout)).toMatchObject([{ streamId: 'users-2', version: 0 }]);
    expect((await subscription(['parked', 'broken'], { isTTY: true })).stdout).toBe(
      'subscription broken has no parked events\n',
    );
  });

  test('reset goes to another position, and remove removes it', async () => {
    await subscription(['create', 'audit', '--all', '--from', 'latest']);
    const reset = await subscription(['reset', 'audit', '--from', '2'], { isTTY: true });
    expect(reset.stdout).toBe('subscription audit continues from position 2\n');
    const next = await subscription(['consume', 'audit', '--count', '1']);
    expect(values(next.stdout)).toMatchObject([{ position: 3 }]);
    expect((await subscription(['remove', 'audit'])).code).toBe(0);
    for (const gone of [
      ['remove', 'audit'],
      ['consume', 'audit'],
    ]) {
      const refused = await subscription(gone);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(/^subscription_not_found: .*\n$/);
    }
  });

  test.each([
    [['create', 'x']],
    [['create', 'x', '--all', '--stream', 'a']],
    [['create', 'x', '--all', '--from', 'now']],
    [['reset', 'x']],
    [['frobnicate']],
  ])('refuses %j as wrong usage', async (args) => {
    expect(await subscription(args)).toMatchObject({ code: 2, stdout: '' });
  });
});

test('backup and restore say in one line why they cannot work with a store', async () => {
  const missing = await cli(['backup', 'b.db', '--data-dir', '/nonexistent'], { env: {} });
  expect(missing).toMatchObject({ code: 1, stdout: '' });
  expect(missing.stderr).toMatch(/^unavailable: the store default has no file .*; give --data-dir\n$/);
  const stores = '{"default":{"engine":"memory"}}';
  const memory = await cli(['backup', 'b.db'], { env: { ESDB_GATER_STORES: stores } });
  expect(memory.code).toBe(2);
  expect(memory.stderr).toContain('must have the engine sqlite, got memory');
});

test('verify says in one line that a store keeps no hash chains', async () => {
  for (const args of [['verify'], ['verify', 'users-1']]) {
    const refused = await cli(args);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^not_supported: .*\n$/);
  }
});

test('verify names the streams whose chain is broken, and counts all', async () => {
  const stores = '{"default":{"engine":"sqlite","tamperEvident":true}}';
  const dataDir = mkdtempSync(join(tmpdir(), 'esdb-gater-verify-'));
  try {
    const verified = async (...args: string[]) => {
      await using own = await startTestGateway({ stores }, { dataDir });
      const env = { ESDB_GATER_URL: own.url };
      for (const stream of ['a', 'b']) {
        await cli(['append', stream, '--type', 't', '--expected-version', 'none'], { env });
      }
      return await cli(['verify', ...args], { env });
    };
    expect(await verified('a')).toMatchObject({
      code: 0,
      stdout: '{"streamId":"a","verified":true}\n',
      stderr: '',
    });
    expect(values((await verified()).stdout)).toEqual([{ streams: 2, broken: 0 }]);
    const database = new DatabaseSync(join(dataDir, 'default.db'));
    database.prepare('UPDATE event_hashes SET hash = ? WHERE stream = 2').run('0'.repeat(64));
    database.close();
    const broken = await verified();
    expect(broken.code).toBe(1);
    expect(values(broken.stdout)).toEqual([
      { streamId: 'b', verified: false, brokenAt: 0 },
      { streams: 2, broken: 1 },
    ]);
  } finally {
    rmSync(dataDir, { recursive: true });
  }
});
