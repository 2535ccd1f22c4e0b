import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc } from '@esdb-gater/property-testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gitHistory } from './git-history.ts';
import { parseLog } from './git-log.ts';
import { type ImportLine, uuidV5, validName } from './ndjson.ts';

interface CommitData {
  readonly hash: string;
  readonly subject: string;
  readonly body: string;
  readonly author: { readonly name: string; readonly email: string };
}

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'git-history-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function git(repository: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const isolated = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };
  const who = {
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.org',
    GIT_COMMITTER_NAME: 'Committer',
    GIT_COMMITTER_EMAIL: 'committer@example.org',
    GIT_AUTHOR_DATE: '2001-02-03T04:05:06Z',
    GIT_COMMITTER_DATE: '2001-02-03T04:05:06Z',
  };
  const options = { env: { ...process.env, ...isolated, ...who, ...env }, encoding: 'utf8' } as const;
  return execFileSync('git', ['-C', repository, ...args], options);
}

function repository(name: string): string {
  const path = join(folder, name);
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', path]);
  return path;
}

function commit(
  path: string,
  message: string,
  files: Record<string, string>,
  env: NodeJS.ProcessEnv = {},
): void {
  for (const [file, content] of Object.entries(files)) writeFileSync(join(path, file), content);
  git(path, ['add', '--all']);
  git(path, ['commit', '--quiet', '--allow-empty', '--message', message], env);
}

async function history(path: string, streamBy: 'author' | 'file' = 'author'): Promise<ImportLine[]> {
  const lines: ImportLine[] = [];
  for await (const line of gitHistory(path, streamBy)) lines.push(line);
  return lines;
}

function isValidName(text: string): boolean {
  return text.length >= 1 && text.length <= 255 && text.isWellFormed() && !/\p{Cc}/u.test(text);
}

describe('git-history', () => {
  test('gives one commit_recorded per commit, oldest first, in the streams of their authors', async () => {
    const path = repository('authors');
    commit(path, 'First\n\nWith a body.\nOf two lines.', { a: '1' });
    commit(path, 'Second', { a: '2' }, { GIT_AUTHOR_NAME: 'Bob', GIT_AUTHOR_EMAIL: 'bob@example.org' });
    commit(path, 'Third: nothing changed', {});
    const lines = await history(path);
    const data = lines.map((line) => line.data as CommitData);
    expect(lines.map(({ streamId }) => streamId)).toEqual(['author-Ada', 'author-Bob', 'author-Ada']);
    expect(data.map(({ subject }) => subject)).toEqual(['First', 'Second', 'Third: nothing changed']);
    expect(data[0]).toMatchObject({
      body: 'With a body.\nOf two lines.',
      author: { name: 'Ada', email: 'ada@example.org' },
      committer: { name: 'Committer' },
      parents: [],
      authoredAt: '2001-02-03T04:05:06.000Z',
    });
    expect(data.map(({ hash }) => hash)).toEqual(
      git(path, ['rev-list', '--reverse', 'HEAD']).trim().split('\n'),
    );
    expect(lines[0]?.tags).toEqual([`commit:${data[0]?.hash}`, 'author:ada@example.org']);
  });

  test('by file gives all commits in one stream and every change in that of its file', async () => {
    const path = repository('files');
    commit(path, 'one', { 'a b.txt': '1', ümlaut: '1', '-dash': '1' });
    commit(path, 'two', { 'a b.txt': '2' });
    git(path, ['mv', 'a b.txt', 'moved']);
    commit(path, 'three', {});
    const lines = await history(path, 'file');
    const changes = lines.map(
      ({ streamId, data }) => `${streamId} ${(data as { change?: string }).change ?? ''}`,
    );
    expect(changes).toEqual([
      'commits ',
      'file--dash added',
      'file-a b.txt added',
      'file-ümlaut added',
      'commits ',
      'file-a b.txt modified',
      'commits ',
      'file-a b.txt deleted',
      'file-moved added',
    ]);
    expect(lines[1]?.metadata).toMatchObject({ causationId: lines[0]?.id });
  });

  test('the commits of both sides of a merge are imported once', async () => {
    const path = repository('merge');
    commit(path, 'base', { a: '1' });
    git(path, ['checkout', '--quiet', '-b', 'side']);
    commit(path, 'side', { b: '1' });
    git(path, ['checkout', '--quiet', 'main']);
    commit(path, 'main', { c: '1' });
    git(path, ['merge', '--quiet', '--no-ff', '--message', 'merge', 'side']);
    const lines = await history(path, 'file');
    const subjects = lines.flatMap(({ data }) => (data as Partial<CommitData>).subject ?? []);
    expect(subjects.sort()).toEqual(['base', 'main', 'merge', 'side']);
    expect(lines.filter(({ type }) => type === 'file_changed')).toHaveLength(3);
  });

  test('the same history has the same ids, and a longer one begins with the same ids', async () => {
    const path = repository('resumed');
    commit(path, 'one', { a: '1' });
    const before = await history(path, 'file');
    commit(path, 'two', { a: '2', '.mailmap': 'Somebody Else <ada@example.org>\n' });
    const after = await history(path, 'file');
    expect(after.slice(0, before.length)).toEqual(before);
    const byAuthor = await history(path, 'author');
    const ids = [...after, ...byAuthor].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(
      ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)),
    ).toBe(true);
  });

  test('odd author names become valid stream ids that differ', async () => {
    const path = repository('odd');
    const names = [
      'x'.repeat(300),
      `${'x'.repeat(299)}y`,
      'tab\there',
      'tab_here',
      '🦄'.repeat(200),
      '__proto__',
    ];
    for (const name of names) commit(path, name.slice(0, 10), {}, { GIT_AUTHOR_NAME: name });
    const ids = (await history(path)).map(({ streamId }) => streamId);
    expect(new Set(ids).size).toBe(names.length);
    expect(ids.filter((id) => !isValidName(id))).toEqual([]);
    expect(ids).toContain('author-__proto__');
  });

  test('a message that contains the separators is imported unchanged', async () => {
    const path = repository('hostile');
    const message = 'subject\n\nM\nA\n0123456789012345678901234567890123456789\n\u001b[31mred';
    commit(path, message, { M: '1', A: '1' });
    commit(path, 'next', { M: '2' });
    const lines = await history(path, 'file');
    expect(lines.map(({ streamId }) => streamId)).toEqual([
      'commits',
      'file-A',
      'file-M',
      'commits',
      'file-M',
    ]);
    expect(lines[0]?.data).toMatchObject({ body: expect.stringContaining('\n0123456789') });
  });

  test('an empty repository and a folder without a repository are reported', async () => {
    await expect(history(repository('empty'))).rejects.toThrow('has no commits yet');
    await expect(history(tmpdir())).rejects.toThrow('is not a readable git repository');
    await expect(history(join(folder, 'missing'))).rejects.toThrow('is not a readable git repository');
  });

  test('run as a program it writes lines, and ends quietly when its reader does', async () => {
    const path = repository('program');
    for (const message of ['one', 'two']) commit(path, message, {});
    const script = join(import.meta.dirname, 'git-history.ts');
    const output = execFileSync(process.execPath, [script, path], { encoding: 'utf8' });
    expect(
      output
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).data.subject),
    ).toEqual(['one', 'two']);

    const wrong = spawn(process.execPath, [script, '--stream-by', 'moon'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const said: Buffer[] = [];
    wrong.stderr.on('data', (chunk: Buffer) => said.push(chunk));
    const [code] = await once(wrong, 'close');
    expect([code, Buffer.concat(said).toString().split('\n').length]).toEqual([2, 2]);

    const left = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'pipe'] });
    left.stdout.destroy();
    expect(await once(left, 'exit')).toEqual([0, null]);
  });
});

describe('parseLog', () => {
  const header = ['a'.repeat(40), '', 'n', 'e', 't', 'n', 'e', 't', 'message\n'].join('\0');
  const log = Buffer.from(`${header}\0\nA\0päth\0M\0two\0${header}\0${header}\0`);

  test('yields the same items for any chunks of the output', async () => {
    const items = async (chunks: readonly Uint8Array[]): Promise<unknown[]> => {
      const all: unknown[] = [];
      for await (const item of parseLog(chunks)) all.push(item);
      return all;
    };
    const whole = await items([log]);
    expect(whole).toHaveLength(5);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(log.length), { maxLength: 8 }), async (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), log.length];
        const chunks = at.slice(1).map((end, i) => log.subarray(at[i], end));
        expect(await items(chunks)).toEqual(whole);
      }),
    );
  });
});

describe('names and ids', () => {
  test('the name is valid for any bytes, and different bytes have different names', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.uint8Array({ maxLength: 600 }), (one, other) => {
        const [a, b] = [validName('file-', one), validName('file-', other)];
        expect(isValidName(a)).toBe(true);
        expect(a === b).toBe(Buffer.from(one).equals(other));
      }),
    );
  });

  test('an id is the UUIDv5 of the URL namespace', () => {
    // Computed with Python's uuid.uuid5(uuid.NAMESPACE_URL, …).
    expect(uuidV5('https://example.org/')).toBe('527dda32-a0de-5105-a042-cb475b5f7d11');
  });
});
