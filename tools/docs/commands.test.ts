// Checks the commands and the settings in the documents against the command line and the schema of the settings.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterAll, describe, expect, test } from 'vitest';
import { createProgram } from '../../apps/gateway/src/cli/program.ts';
import { loadConfig } from '../../apps/gateway/src/config/load-config.ts';
import { documentedCommands, gatewayArguments, npmScript } from './documented-commands.ts';
import { fencedBlocks } from './fenced-blocks.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const read = (document: string): string => readFileSync(join(ROOT, document), 'utf8');
const below = (folder: string): string[] =>
  readdirSync(join(ROOT, folder)).map((name) => `${folder}/${name}`);

const DOCUMENTS = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...below('packages').map((folder) => `${folder}/README.md`),
  ...below('apps').map((folder) => `${folder}/README.md`),
  ...below('docs/guides').filter((name) => name.endsWith('.md')),
  'examples/README.md',
  'native/README.md',
];

type Program = Awaited<ReturnType<typeof createProgram>>;

/** The command line with all its options, whose commands do nothing. */
async function commandLine(): Promise<Program> {
  const terminal = {
    stdin: Readable.from([]),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    env: {},
    interrupted: new AbortController().signal,
  };
  const program = await createProgram({
    version: '0',
    terminal,
    done: () => undefined,
    starts: true,
    configures: true,
  });
  for (const command of leavesOf(program)) command.action(() => undefined);
  return program;
}

function leavesOf(command: Program): Program[] {
  return command.commands.length === 0
    ? [command]
    : command.commands.flatMap((one) => leavesOf(one as Program));
}

/** Returns what the command line says of the arguments, or undefined when it accepts them. */
async function complaint(args: readonly string[]): Promise<string | undefined> {
  try {
    await (await commandLine()).parseAsync(args, { from: 'user' });
    return undefined;
  } catch (error) {
    const { exitCode, message } = error as { readonly exitCode?: number; readonly message: string };
    return exitCode === 0 ? undefined : message;
  }
}

interface Manifest {
  readonly name: string;
  readonly scripts?: Readonly<Record<string, string>>;
}

/** The scripts of the repository, or of the workspace with this name or folder. */
function scriptsOf(workspace: string | undefined): string[] {
  const folders = workspace === undefined ? ['.'] : [...below('packages'), ...below('apps'), 'native'];
  const manifests = folders.map((folder) => ({
    folder,
    ...(JSON.parse(read(`${folder}/package.json`)) as Manifest),
  }));
  const found = manifests.find(
    ({ folder, name }) => workspace === undefined || folder === workspace || name === workspace,
  );
  return Object.keys(found?.scripts ?? {});
}

test.each(DOCUMENTS)('the commands in %s are accepted by the command line and npm', async (document) => {
  for (const { name, words } of documentedCommands(document, fencedBlocks(read(document)))) {
    const args = gatewayArguments(words);
    if (args !== undefined) expect(await complaint(args), `${name}: ${words.join(' ')}`).toBeUndefined();
    const npm = npmScript(words);
    if (npm !== undefined) expect(scriptsOf(npm.workspace), name).toContain(npm.script);
  }
});

test('an unknown command, an unknown option and a missing argument would be found', async () => {
  expect(await complaint(['appendd', 'a'])).toContain('unknown command');
  expect(await complaint(['append', 'a', '--typo', 'x'])).toContain('unknown option');
  expect(await complaint(['append'])).toContain('missing required argument');
  expect(await complaint(['start', '--prot', '1'])).toContain('unknown option');
  const block =
    '```sh\nA=1 npm exec -- esdb-gater \\\n  read x | esdb-gater import && npm start -- --port 1\nD=$(npx esdb-gater health)\n```\n';
  const commands = documentedCommands('a.md', fencedBlocks(block));
  expect(commands.map(({ words }) => gatewayArguments(words))).toEqual([
    ['read', 'x'],
    ['import'],
    ['start', '--port', '1'],
    ['health'],
  ]);
  expect(commands.map(({ name }) => name)).toEqual(['a.md:2', 'a.md:2', 'a.md:2', 'a.md:4']);
});

describe('the commands of the README', () => {
  const [, section = ''] = /\n## Commands\n(.*?)\n## /s.exec(read('README.md')) ?? [];
  const table = section.split('\n').filter((line) => line.startsWith('| `'));
  /** The commands that the table names: `identity new`, and with it `show` of the same cell. */
  const named = table.flatMap((row) => {
    const cells = [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, text = '']) =>
      text.split(' '),
    );
    const group = cells[0]?.[0] ?? '';
    return cells.flatMap(([first = '', second = '']) => [first, `${group} ${first}`, `${first} ${second}`]);
  });

  test('are all that there are', async () => {
    for (const command of leavesOf(await commandLine())) {
      const path = [command.name()];
      for (let at = command.parent; at?.parent != null; at = at.parent) path.unshift(at.name());
      expect(named, path.join(' ')).toContain(path.join(' '));
    }
  });

  test('all print JSON for programs with --json, except the script of `completion`', async () => {
    const without = leavesOf(await commandLine()).filter(
      ({ options }) => !options.some(({ long }) => long === '--json'),
    );
    expect(without.map((command) => command.name())).toEqual(['completion']);
  });

  test('that take --watch are those that the README says', async () => {
    const watched = leavesOf(await commandLine()).filter(({ options }) =>
      options.some(({ long }) => long === '--watch'),
    );
    const names = watched.map((command) =>
      command.name() === 'list' ? 'subscription list' : command.name(),
    );
    const [, list = ''] = /^- (.*) take `--watch`/m.exec(section) ?? [];
    expect([...list.matchAll(/`([^`]+)`/g)].map(([, name]) => name).sort()).toEqual(names.sort());
  });
});

describe('the guides', () => {
  const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-settings-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const blocks = below('docs/guides').flatMap((document) =>
    fencedBlocks(read(document)).map((block) => ({ ...block, name: `${document}:${block.line}` })),
  );

  test('have only blocks that are run or checked, and text', () => {
    for (const { name, language, flags } of blocks) {
      if (language === 'json' || language === 'yaml') expect(flags, name).toContain('config');
      else expect(['sh', 'ts', 'text'], name).toContain(language);
    }
  });

  test('have settings that `config check` accepts', () => {
    const settings = blocks.filter(({ flags }) => flags.includes('config'));
    expect(settings.length).toBeGreaterThan(3);
    for (const [index, { name, language, text }] of settings.entries()) {
      const file = join(folder, `${index}.${language}`);
      writeFileSync(file, text);
      expect(() => loadConfig({ file, env: {}, flags: {} }), name).not.toThrow();
    }
  });
});
