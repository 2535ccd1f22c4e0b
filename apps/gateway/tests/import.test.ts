import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { RecordedEvent } from '@esdb-gater/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jsonLines } from './support/gateway-process.ts';
import { startTestGateway, type TestGateway } from './support/in-process.ts';
import { runInProcess } from './support/terminal.ts';

let folder: string;
let gateway: TestGateway;
let other: TestGateway;
const SECRET = 'the secret of the test';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'esdb-gater-import-'));
  const stores = '{"default":{"engine":"memory"}}';
  gateway = await startTestGateway({ stores, 'security-hmac-secret': SECRET });
  other = await startTestGateway({ stores });
});
afterAll(async () => {
  await gateway.close();
  await other.close();
  rmSync(folder, { recursive: true });
});

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const cli = (args: readonly string[], stdin?: string, to: TestGateway = gateway) =>
  runInProcess([...args, '--url', to.url], stdin === undefined ? {} : { stdin });

const read = async (stream: string, from: TestGateway = gateway) =>
  jsonLines<RecordedEvent>((await cli(['read', stream], undefined, from)).stdout);

const lines = (...events: object[]) => events.map((event) => JSON.stringify(event)).join('\n');

describe('an import', () => {
  test('that the gateway refuses names the line; all events before it are written, none after it [R15]', async () => {
    const id = (n: number) => `018f5e2c-0000-7000-8000-${String(n).padStart(12, '0')}`;
    await cli(['import'], lines({ streamId: 'taken-2', type: 't', data: 'other', id: id(7) }));
    const events = Array.from({ length: 20 }, (_, n) => ({
      streamId: `taken-${n % 5}`,
      type: 't',
      data: n,
      id: id(n),
    }));
    const path = file('refused.ndjson', lines(...events));
    const refused = await cli(['import', path]);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(
      /^invalid_argument: line 8 was not written: .*imported 7 events into 5 streams/,
    );
    expect(refused.stderr.trimEnd()).not.toContain('\n');
    const stored = (await Promise.all([0, 1, 2, 3, 4].map((n) => read(`taken-${n}`)))).flat();
    expect(
      stored
        .map(({ data }) => data)
        .filter((data) => data !== 'other')
        .sort(),
    ).toEqual([0, 1, 2, 3, 4, 5, 6]);
    const mended = events.map((event, n) => (n === 7 ? { ...event, id: id(100) } : event));
    file('refused.ndjson', lines(...mended));
    expect(jsonLines((await cli(['import', path, '--json'])).stdout)).toEqual([
      { written: 13, present: 7, streams: 5 },
    ]);
  });

  test('of an invalid line writes the events before it and names the line, also with --json [R15]', async () => {
    const path = file(
      'wrong.ndjson',
      `${lines({ streamId: 'wrong', type: 't', data: 1 })}\n\n{"streamId":"wrong","type":"t","data":{"n":12345678901234567890}}\n`,
    );
    const { code, stderr } = await cli(['import', path, '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stderr)).toMatchObject({
      code: 'invalid_argument',
      reason: 'number',
      path: 'data.n',
      line: 3,
      written: 1,
      present: 0,
      streams: 1,
    });
    expect(await read('wrong')).toHaveLength(1);
  });

  test('accepts the output of `read`, and does not write duplicates when it is repeated [R15]', async () => {
    const cloudEvent = {
      specversion: '1.0',
      id: 'c',
      source: '/s',
      type: 't',
      subject: 'copied-2',
      data: null,
    };
    await cli(
      ['import'],
      lines({ streamId: 'copied-1', type: 't', data: { n: 1 }, tags: ['x'] }, cloudEvent),
    );
    const printed = [...(await read('copied-1')), ...(await read('copied-2'))];
    const path = file('copied.ndjson', lines(...printed));
    expect(await cli(['import', path, '--json'], undefined, other)).toMatchObject({
      code: 0,
      stdout: '{"written":2,"present":0,"streams":2}\n',
    });
    for (const stream of ['copied-1', 'copied-2']) {
      const [copy] = await read(stream, other);
      const [original] = await read(stream);
      const { position: _, timestamp: __, epochUs: ___, ...content } = original as RecordedEvent;
      expect(copy).toMatchObject(content);
    }
    expect((await cli(['import', path, '--json'], undefined, other)).stdout).toContain('"present":2');
  });

  test('of two files with equal lines writes all of them, unless they have the same --name [R15]', async () => {
    const content = lines(...Array(3).fill({ streamId: 'equal', type: 't', data: 1 }));
    mkdirSync(join(folder, 'b'));
    const paths = [file('equal.ndjson', content), file('b/equal.ndjson', content)];
    for (const path of paths) expect((await cli(['import', path])).stdout).toContain('imported 3 events');
    expect(await read('equal')).toHaveLength(6);
    const named = file('c.ndjson', content);
    const again = await cli(['import', named, '--name', paths[0] as string]);
    expect(again.stdout).toBe('imported 0 events into 1 stream, 3 were there before\n');
    expect(await read('equal')).toHaveLength(6);
  });

  test('reads a JSON array and gzip, and names the item that is wrong [R32]', async () => {
    const events = [1, 2, 3].map((data) => ({ streamId: 'array', type: 't', data }));
    const path = file('array.json.gz', gzipSync(JSON.stringify(events, null, 2)));
    expect(await cli(['import', path])).toMatchObject({
      code: 0,
      stdout: 'imported 3 events into 1 stream\n',
    });
    const wrong = file('wrong.json', JSON.stringify([events[0], 7], null, 1));
    expect((await cli(['import', wrong])).stderr).toMatch(
      /^invalid_argument: item 2 \(line 7\) must be a JSON object, got 7/,
    );
  });

  test.each([
    ['a directory', '.', 2, /is a directory/],
    ['CSV', 'a.csv', 1, /line 1 is not valid JSON: it looks like CSV/],
    [
      'a pretty-printed object',
      'pretty.json',
      1,
      /line 1 is not valid JSON: each event must stand on one line/,
    ],
    ['a zip archive', 'a.zip', 1, /is a zip archive; decompress it: unzip -p FILE/],
    ['a file that does not exist', 'none', 2, /it does not exist/],
  ])('of %s explains what to do, in one line [R32]', async (_, name, code, words) => {
    file('a.csv', 'stream,type,data\na,b,c\n');
    file('pretty.json', JSON.stringify({ streamId: 'a', type: 't', data: 1 }, null, 2));
    file('a.zip', Uint8Array.from([0x50, 0x4b, 3, 4, 0, 0]));
    const result = await cli(['import', join(folder, name)]);
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toMatch(words);
    expect(result.stderr.trimEnd()).not.toContain('\n');
  });
});

describe('the command line', () => {
  test('takes an empty variable for an unset one [R32]', async () => {
    const env = { ESDB_GATER_URL: '', ESDB_GATER_TOKEN: '', ESDB_GATER_DATA_DIR: '' };
    const { stderr } = await runInProcess(['read', 'a'], { env });
    expect(stderr).not.toContain('--url');
    const given = await runInProcess(['append', 'env', '--type', 't', '--url', gateway.url], { env });
    expect(given).toMatchObject({ code: 0, stderr: '' });
  });

  test.each(['yesterday', '2026-13-01T00:00:00Z', '2026-01-31', ''])(
    'names the time %j that is not one [R32]',
    async (time) => {
      const { code, stderr } = await cli(['subscribe', 'events', '>', '--from', `time:${time}`]);
      expect(code).toBe(2);
      expect(stderr).toContain(
        `--from time: must be an RFC 3339 time, such as 2026-01-31T12:00:00Z, got ${JSON.stringify(time)}`,
      );
    },
  );

  test.each([['--token-file'], ['--identity-file'], ['--ca-file']])(
    'refuses a directory and an endless device as the %s [R32]',
    async (flag) => {
      expect((await cli(['health', flag, folder])).stderr).toContain(
        `cannot read ${folder}: it is a directory (EISDIR)`,
      );
      expect((await cli(['health', flag, '/dev/zero'])).stderr).toContain('it is larger than 1048576 bytes');
    },
  );

  test('never sends another number than it was given [R15]', async () => {
    const number = '12345678901234567890';
    const commands: [args: string[], stdin: string | undefined, path: string][] = [
      [['append', 'n', '--type', 't', '--data', `{"n":[${number}]}`], undefined, 'data.n[0]'],
      [['append', 'n', '--type', 't', '--metadata', `{"n":1e999}`], undefined, 'metadata.n'],
      [['append', 'n'], `{"type":"t","data":${number}}`, 'data'],
      [['publish', 'events', 'n', number], undefined, 'message'],
      [['publish', 'events'], `{"topic":"n","message":{"n":${number}}}`, 'message.n'],
    ];
    for (const [args, stdin, path] of commands) {
      const { code, stderr } = await cli([...args, '--json'], stdin);
      expect(code).toBe(1);
      expect(JSON.parse(stderr)).toMatchObject({ code: 'invalid_argument', reason: 'number', path });
    }
    expect((await cli(['read', 'n'])).stderr).toMatch(/^stream_not_found/);
  });

  test('signs with the secret, with the keys, and with the file that the variables name', async () => {
    const publish = (env: Record<string, string>) =>
      runInProcess(['publish', 'alerts', 'disk.full', '{"host":"a"}', '--sign', '--url', gateway.url], {
        env,
      });
    const variable = 'ESDB_GATER_SECURITY_HMAC_SECRET';
    const keys = JSON.stringify([{ keyId: 'default', secret: SECRET }]);
    for (const env of [
      { [variable]: SECRET },
      { [variable]: keys },
      { [`${variable}_FILE`]: file('secret', `${SECRET}\n`) },
      { [`${variable}_FILE`]: file('keys', keys), [variable]: '' },
    ]) {
      expect(await publish(env)).toMatchObject({ code: 0, stderr: '' });
    }
    const wrong = await publish({ [`${variable}_FILE`]: file('wrong', 'hunter2') });
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringMatching(/^invalid_signature/) });
    const missing = await publish({ [`${variable}_FILE`]: join(folder, 'none') });
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('it does not exist') });
  });
});
