import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TEMPLATES } from '../../packages/create-esdb-gater/src/templates.ts';
import { layOut } from './lay-out.ts';
import { pack, publishedFolders, type Tarball } from './tarballs.ts';

const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-templates-'));
/** A project that has the commands of the packages, and nothing else. */
const commands = join(folder, 'commands');
let tarballs: ReadonlyMap<string, Tarball>;
beforeAll(() => {
  const folders = publishedFolders().filter((one) => !one.includes(join('native', 'npm')));
  tarballs = pack(folders, folder);
  mkdirSync(commands);
  const dependencies = { 'create-esdb-gater': '*', '@esdb-gater/conformance': '*' };
  writeFileSync(join(commands, 'package.json'), JSON.stringify({ dependencies }));
  layOut(commands, tarballs);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CREATE = join(commands, 'node_modules', 'create-esdb-gater', 'bin', 'create-esdb-gater.js');
const CONFORMANCE = join(commands, 'node_modules', '@esdb-gater', 'conformance', 'bin', 'conformance.js');
const env = { PATH: process.env['PATH'] };

describe.each(Object.keys(TEMPLATES))('the template %s, written by the packed command', (template) => {
  test('has all dependencies that it needs, and passes its type check and its test', () => {
    const project = join(folder, template);
    execFileSync(process.execPath, [CREATE, project, '--template', template], { env });
    layOut(project, tarballs);
    const run = (...args: readonly string[]) =>
      spawnSync(process.execPath, args, { cwd: project, env, encoding: 'utf8' });
    const compiled = run('node_modules/typescript/bin/tsc');
    expect([compiled.stdout, compiled.status]).toEqual(['', 0]);
    const tested = run('--test', 'test/*.test.ts');
    expect(tested.stdout).toMatch(/pass 2\n.*fail 0/s);
    expect(tested.status).toBe(0);
  }, 120_000);
});

/** Runs a command whose reader has gone before it writes, as in `create-esdb-gater | true`. */
async function runWithoutReader(...args: readonly string[]) {
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  return { stderr, code };
}

test('a project is written although nobody reads what the command prints', async () => {
  const project = join(folder, 'unread');
  expect(await runWithoutReader(CREATE, project)).toEqual({ stderr: '', code: 0 });
  layOut(project, tarballs);
});

test('conformance whose reader has gone ends without a stack, and not as if all promises were kept', async () => {
  const module = join(folder, 'store.mjs');
  writeFileSync(module, 'export const open = () => Promise.reject(new Error("no disk"));');
  expect(await runWithoutReader(CONFORMANCE, 'store', '--module', module)).toEqual({ stderr: '', code: 1 });
});
