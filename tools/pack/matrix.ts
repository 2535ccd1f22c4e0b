// `npm run packages:matrix`: packs all packages, installs them into empty projects with npm, pnpm, yarn and bun, and uses them from
// TypeScript (NodeNext and Bundler, strict) and JavaScript, by import and require, on every runtime that is installed; then what
// `npm create esdb-gater` writes is installed, compiled and tested. Needs a build, and `npm ci` in tools/pack/managers,
// tools/docs/nodes and tools/runtimes. Takes some minutes.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TEMPLATES } from '../../packages/create-esdb-gater/src/templates.ts';
import { manifestOf, pack, publishedFolders, type Tarball } from './tarballs.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const MANAGERS = join(import.meta.dirname, 'managers', 'node_modules', '.bin');
const OTHERS = join(ROOT, 'tools', 'runtimes', 'node_modules', '.bin');
const NODES = join(ROOT, 'tools', 'docs', 'nodes', 'node_modules');

/** How each manager installs, and which member of a manifest makes it take a package from a file. */
const INSTALLS: Readonly<Record<string, readonly string[]>> = {
  npm: ['npm', 'install', '--prefer-offline', '--ignore-scripts'],
  pnpm: [join(MANAGERS, 'pnpm'), 'install', '--prefer-offline', '--ignore-scripts', '--no-frozen-lockfile'],
  yarn: [join(MANAGERS, 'yarn'), 'install', '--ignore-scripts', '--ignore-engines', '--non-interactive'],
  bun: [join(OTHERS, 'bun'), 'install', '--ignore-scripts'],
};

const RUNTIMES: Readonly<Record<string, readonly string[]>> = {
  'Node 22': [join(NODES, 'node22', 'bin', 'node')],
  'Node 24': [process.execPath],
  'Node 26': [join(NODES, 'node26', 'bin', 'node')],
  Bun: [join(OTHERS, 'bun'), 'run'],
  Deno: [join(OTHERS, 'deno'), 'run', '--quiet', '--allow-all', '--node-modules-dir=manual'],
};

/** What every program does with the packages: it appends in process, checks a token and is refused by no gateway. */
const BODY = `
const gater = await openGater({ stores: { default: { engine: 'sqlite', file: ':memory:' } } }).catch(() => openGater());
await gater.appendEvents({ streamId: 's', events: [{ type: 'created', data: { name: 'Ada' } }] });
const { version } = await gater.getVersion({ streamId: 's' });
await gater.close();
const { did } = Identity.generate();
const refused = await connect('ws://127.0.0.1:9/v1/ws', { connectTimeoutMs: 500 }).then(() => 'connected', (error) => error.code);
if (version !== 0 || !did.startsWith('did:key:') || refused !== 'unavailable') throw new Error([version, did, refused].join());
console.log('works');
process.exit();
`;
const NAMES = [
  ['connect', '@esdb-gater/client'],
  ['openGater', '@esdb-gater/embedded'],
  ['Identity', '@esdb-gater/security'],
] as const;
const IMPORTS = NAMES.map(([name, from]) => `import { ${name} } from '${from}';`).join('\n');
const REQUIRES = NAMES.map(([name, from]) => `const { ${name} } = require('${from}');`).join('\n');

const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-matrix-'));
const failures: string[] = [];
try {
  const tarballs = pack(
    publishedFolders().filter((one) => !one.includes(join('native', 'npm'))),
    folder,
  );
  const chosen = process.argv.slice(2);
  for (const [manager, command] of Object.entries(INSTALLS)) {
    if (chosen.length > 0 && !chosen.includes(manager)) continue;
    const project = join(folder, manager);
    createProject(project, manager, tarballs);
    if (!attempt(`${manager} install`, project, command)) continue;
    for (const [runtime, run] of Object.entries(RUNTIMES)) {
      for (const file of ['program.mjs', 'program.cjs']) {
        attempt(`${manager}, ${runtime}, ${file}`, project, [...run, file]);
      }
    }
    const compiler = [process.execPath, join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-p'];
    for (const resolution of ['nodenext', 'bundler']) {
      attempt(`${manager}, TypeScript, ${resolution}`, project, [...compiler, `tsconfig.${resolution}.json`]);
    }
    const create = join(project, 'node_modules', '.bin', 'create-esdb-gater');
    for (const template of Object.keys(TEMPLATES)) {
      const what = `${manager}, create-esdb-gater, ${template}`;
      const created = join(folder, `${manager}-${template}`);
      if (!attempt(what, folder, [create, created, '--template', template])) continue;
      addTarballs(created, manager, tarballs);
      if (!attempt(`${what}, install`, created, command)) continue;
      attempt(`${what}, types`, created, [process.execPath, 'node_modules/typescript/bin/tsc']);
      attempt(`${what}, test`, created, [process.execPath, '--test', 'test/*.test.ts']);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const failure of failures) process.stderr.write(`${failure}\n`);
process.exitCode = failures.length === 0 ? 0 : 1;

function createProject(project: string, manager: string, tarballs: ReadonlyMap<string, Tarball>): void {
  mkdirSync(project);
  const write = (file: string, text: string): void => writeFileSync(join(project, file), text);
  write('package.json', JSON.stringify({ name: 'empty', version: '1.0.0', private: true }));
  addTarballs(project, manager, tarballs);
  write('program.mjs', `${IMPORTS}\n${BODY}`);
  write('program.cjs', `${REQUIRES}\n(async () => {${BODY}})();\n`);
  write('program.mts', `${IMPORTS}\n${BODY.replace('(error)', '(error: { code: string }): string')}`);
  for (const [resolution, module] of [
    ['nodenext', 'nodenext'],
    ['bundler', 'esnext'],
  ] as const) {
    const compilerOptions = {
      strict: true,
      noEmit: true,
      target: 'es2023',
      lib: ['es2024', 'esnext.disposable', 'dom'],
      module,
      moduleResolution: resolution,
      types: ['node'],
      typeRoots: [join(ROOT, 'node_modules', '@types')],
    };
    write(`tsconfig.${resolution}.json`, JSON.stringify({ compilerOptions, files: ['program.mts'] }));
  }
}

/** Makes a project depend on all packages from their tarballs, also where they depend on each other. */
function addTarballs(project: string, manager: string, tarballs: ReadonlyMap<string, Tarball>): void {
  const files = Object.fromEntries(
    [...tarballs.values()].map(({ name, file }) => [name, `file:${file}`] as const),
  );
  const manifest = manifestOf(project);
  const filled = {
    ...manifest,
    dependencies: { ...manifest.dependencies, ...files },
    ...(manager === 'yarn' ? { resolutions: files } : {}),
    ...(manager === 'bun' ? { overrides: files } : {}),
  };
  writeFileSync(join(project, 'package.json'), JSON.stringify(filled));
  if (manager === 'pnpm') {
    const lines = Object.entries(files).map(([name, file]) => `  '${name}': '${file}'`);
    writeFileSync(join(project, 'pnpm-workspace.yaml'), ['overrides:', ...lines, ''].join('\n'));
  }
}

/** Runs a program, and notes when it fails. A program that is not installed is a failure, too: nothing is left out silently. */
function attempt(what: string, cwd: string, [program = '', ...args]: readonly string[]): boolean {
  const { NODE_OPTIONS: _, NODE_COMPILE_CACHE: __, ...env } = process.env;
  try {
    if (program.includes('/') && !existsSync(program)) throw new Error(`${program} is not installed`);
    execFileSync(program, args, { cwd, env, encoding: 'utf8', stdio: 'pipe', timeout: 60_000 });
    process.stdout.write(`${what}: works\n`);
    return true;
  } catch (error) {
    const {
      message,
      stdout = '',
      stderr = '',
    } = error as Error & { readonly stdout?: string; readonly stderr?: string };
    failures.push(`${what}: ${[message, stdout, stderr].join('\n').slice(0, 2_000)}`);
    process.stdout.write(`${what}: FAILED\n`);
    return false;
  }
}
