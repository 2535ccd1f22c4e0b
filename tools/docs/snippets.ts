import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fencedBlocks } from './fenced-blocks.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** A program in a document. */
export interface Snippet {
  /** The document and the line: `packages/retry/README.md:12`. */
  readonly name: string;
  /** Its requirements: `kafka`, `postgres`, `native`. */
  readonly flags: readonly string[];
  readonly text: string;
}

/** Returns the blocks in TypeScript of the guides and of the READMEs of the repository, its packages, applications and engine. */
export function snippetsOfDocuments(): Snippet[] {
  const below = (folder: string): string[] =>
    readdirSync(join(ROOT, folder)).map((name) => join(folder, name));
  const readmes = ['.', ...below('packages'), ...below('apps'), 'native'].map((folder) =>
    join(folder, 'README.md'),
  );
  return [...readmes, ...below('docs/guides')].flatMap((document) =>
    fencedBlocks(readFileSync(join(ROOT, document), 'utf8'))
      .filter(({ language }) => language === 'ts' || language === 'js')
      .map(({ text, flags, line }) => ({ name: `${document}:${line}`, flags, text })),
  );
}

/** A folder in which snippets resolve the packages of this repository as a program that installed them does. */
export interface SnippetProject {
  readonly folder: string;
  /** Resolves to the compiler's complaints, each with the name of its snippet. */
  check(): Promise<string>;
  /** Runs a snippet, with `127.0.0.1:4590` replaced by `address`. */
  run(snippet: Snippet, node: string, address: string, env?: Readonly<Record<string, string>>): Promise<Run>;
}

/** The output of a program. */
export interface Run {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const TSCONFIG = {
  compilerOptions: {
    target: 'ES2023',
    lib: ['ES2024', 'ESNext.Disposable', 'DOM'],
    module: 'NodeNext',
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    verbatimModuleSyntax: true,
    erasableSyntaxOnly: true,
    skipLibCheck: true,
    moduleDetection: 'force',
    noEmit: true,
    types: ['node'],
  },
  include: ['*.ts'],
};

/** Writes the snippets into a new folder. */
export function createSnippetProject(snippets: readonly Snippet[]): SnippetProject {
  const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-docs-'));
  const write = (name: string, content: string): void => writeFileSync(join(folder, name), content);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  write('package.json', '{"type":"module"}');
  write('tsconfig.json', JSON.stringify(TSCONFIG));
  for (const snippet of snippets) write(fileOf(snippet), snippet.text);
  return {
    folder,
    async check() {
      const { stdout } = await run(
        process.execPath,
        [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.'],
        folder,
      );
      return snippets.reduce((rest, snippet) => rest.replaceAll(fileOf(snippet), snippet.name), stdout);
    },
    run(snippet, node, address, env = {}) {
      const file = `run-${fileOf(snippet)}`;
      write(file, snippet.text.replaceAll('127.0.0.1:4590', address));
      return run(node, [file], folder, env);
    },
  };
}

function fileOf({ name }: Snippet): string {
  return `${name.replace(/\.md/, '').replaceAll(/[^A-Za-z0-9]+/g, '-')}.ts`;
}

async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Run> {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exitCode = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { exitCode: await exitCode, stdout, stderr };
}
