import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runCreate } from './index.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..', '..');

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'create-esdb-gater-'));
});
afterEach(() => rm(cwd, { recursive: true }));

async function create(args: readonly string[], answer?: string) {
  let out = '';
  let err = '';
  const code = await runCreate(args, {
    cwd,
    out(text) {
      out += text;
    },
    err(text) {
      err += text;
    },
    ...(answer === undefined ? {} : { ask: async () => answer }),
  });
  return { code, out, err };
}

const packageIn = async (folder: string) =>
  JSON.parse(await readFile(join(cwd, folder, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly dependencies: Readonly<Record<string, string>>;
  };

describe('the command', () => {
  test('writes the embedded project when no template is named and nobody can be asked', async () => {
    expect(await create(['My Shop!'])).toMatchObject({ code: 0, err: '' });
    const { name, dependencies } = await packageIn('My Shop!');
    expect(name).toBe('my-shop-');
    expect(Object.keys(dependencies)).toContain('@esdb-gater/embedded');
    expect(await readdir(join(cwd, 'My Shop!'))).toContain('.gitignore');
  });

  test('asks for the template at a terminal, and takes the default for an empty answer', async () => {
    await create(['a'], 'worker');
    expect(Object.keys((await packageIn('a')).dependencies)).toEqual([
      '@esdb-gater/app',
      '@esdb-gater/client',
    ]);
    await create(['b'], '');
    expect(Object.keys((await packageIn('b')).dependencies)).toContain('@esdb-gater/embedded');
  });

  test('refuses a folder that is not empty, and leaves it as it is', async () => {
    await writeFile(join(cwd, 'mine.txt'), 'x');
    const { code, err } = await create([]);
    expect([code, await readdir(cwd)]).toEqual([1, ['mine.txt']]);
    expect(err).toMatch(/must be an empty folder, but it has "mine.txt"/);
  });

  test('refuses a path that is a file', async () => {
    await writeFile(join(cwd, 'mine.txt'), 'x');
    expect(await create(['mine.txt'])).toMatchObject({ code: 1 });
  });

  test.each([
    [['--template', 'oracle'], 'must be one of embedded, gateway, worker, got "oracle"'],
    [['--template='], 'got ""'],
    [['--colour'], '--colour'],
    [['a', 'b'], 'unexpected argument "b"'],
  ])('%j is wrong usage', async (args, message) => {
    const { code, err } = await create(args);
    expect([code, await readdir(cwd)]).toEqual([2, []]);
    expect(err).toContain(message);
  });

  test('shows its help', async () => {
    const { code, out } = await create(['--help']);
    expect(code).toBe(0);
    expect(out).toContain('--template NAME');
  });
});

describe.each(['embedded', 'gateway', 'worker'])('the template %s', (template) => {
  test('passes its type check and its tests', async () => {
    await create(['app', '--template', template]);
    const folder = join(cwd, 'app');
    // The packages of this repository, by their sources.
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
    await run(tsc, ['--customConditions', '@esdb-gater/source'], { cwd: folder });
    const args = ['--conditions=@esdb-gater/source', '--test', 'test/*.test.ts'];
    const { stdout } = await run(process.execPath, args, { cwd: folder, env: { PATH: process.env['PATH'] } });
    expect(stdout).toMatch(/pass 2\n.*fail 0/s);
  }, 120_000);
});
