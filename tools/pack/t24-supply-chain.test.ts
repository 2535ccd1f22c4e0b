import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answers } from './answers.ts';
import {
  install,
  installedFolder,
  manifestOf,
  pack,
  publishedFolders,
  stagePlatform,
  type Tarball,
} from './tarballs.ts';
import { KNOWN, VECTORS } from './vectors.ts';

const root = join(import.meta.dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-pack-'));
const staged = stagePlatform(join(folder, 'platform'));
let tarballs: ReadonlyMap<string, Tarball>;

beforeAll(() => {
  const others = ['@noble/curves', '@noble/hashes', 'uuid', 'ws', '@opentelemetry/api'].map(installedFolder);
  const ours = publishedFolders().filter((one) => !one.includes(join('native', 'npm')));
  tarballs = pack([...ours, ...others, ...(staged === undefined ? [] : [staged.folder])], folder);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function tarball(name: string): Tarball {
  const found = tarballs.get(name);
  if (found === undefined) throw new Error(`${name} was not packed`);
  return found;
}

/** Only `@esdb-gater/security` and its dependencies. */
const SECURITY = [
  ...['types', 'primitives', 'security'].map((name) => `@esdb-gater/${name}`),
  ...['@noble/curves', '@noble/hashes', 'uuid'],
];
const CLIENT = [
  ...SECURITY,
  ...['client', 'gater', 'registry', 'protocol', 'retry', 'telemetry'].map((name) => `@esdb-gater/${name}`),
  ...['ws', '@opentelemetry/api'],
];

/** Runs a module text in an installed folder, with no conditions and variables of this repository. */
function run(at: string, text: string, env: Readonly<Record<string, string>> = {}): string {
  const script = join(at, `script-${crypto.randomUUID()}.js`);
  writeFileSync(script, text);
  const { PATH = '' } = process.env;
  return execFileSync(process.execPath, [script], {
    cwd: at,
    encoding: 'utf8',
    stdio: 'pipe',
    env: { PATH, ...env },
  });
}

interface Run {
  readonly engine: string;
  readonly details: { readonly reason?: string };
  readonly answers: Answers;
}

function ask(at: string, env: Readonly<Record<string, string>> = {}): Run {
  copyFileSync(join(import.meta.dirname, 'answers.ts'), join(at, 'answers.ts'));
  const text = `
import * as security from '@esdb-gater/security';
import { answersOf } from './answers.ts';
const vectors = JSON.parse(${JSON.stringify(JSON.stringify(VECTORS))});
const answers = answersOf(security, vectors);
console.log(JSON.stringify({ engine: security.engine(), details: security.engineDetails(), answers }));`;
  return JSON.parse(run(at, text, env)) as Run;
}

describe('T24: the load path of the native addon, the supply chain', () => {
  const lifecycle = [
    'preinstall',
    'install',
    'postinstall',
    'prepare',
    'preprepare',
    'postprepare',
    'prepublish',
  ];

  test('no package of ours runs anything when it is installed', () => {
    const folders = publishedFolders();
    expect(folders.length).toBeGreaterThan(20);
    for (const one of folders) {
      const { name, scripts = {} } = manifestOf(one);
      expect(
        Object.keys(scripts).filter((script) => lifecycle.includes(script)),
        name,
      ).toEqual([]);
      // npm runs node-gyp by itself where it sees one.
      expect(existsSync(join(one, 'binding.gyp')), name).toBe(false);
    }
    const { scripts = {} } = manifestOf(root);
    expect(Object.keys(scripts).filter((script) => lifecycle.includes(script))).toEqual([]);
  });

  test('of third-party packages, only the known ones run install scripts', () => {
    const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { hasInstallScript?: boolean; link?: boolean; integrity?: string }>;
    };
    const entries = Object.entries(packages).filter(([path]) => path.includes('node_modules/'));
    const scripted = entries.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path);
    const allowed = ['node', 'protobufjs', 'fsevents', 'esbuild'].map((name) => `node_modules/${name}`);
    expect(scripted.filter((path) => !allowed.some((one) => path.endsWith(one)))).toEqual([]);
    const loose = entries.filter(([, { link, integrity }]) => link !== true && integrity === undefined);
    expect(loose.map(([path]) => path)).toEqual([]);
  });

  test('packages contain their exports, but no tests, keys or install scripts', () => {
    for (const { name, contents } of [...tarballs.values()].filter((one) =>
      one.name.startsWith('@esdb-gater/'),
    )) {
      expect(
        contents.filter((path) =>
          /\.test\.|(^|\/)tests?\/|\.tsbuildinfo$|(^|\/)\.|\.pem$|\.key$|binding\.gyp|-tmp\./.test(path),
        ),
        name,
      ).toEqual([]);
      expect(contents, name).toContain('package.json');
    }
    for (const one of publishedFolders().filter((path) => path.includes(join(root, 'packages')))) {
      const { name, exports: exported, imports: imported } = manifestOf(one);
      const targets = textsOf([exported, imported]);
      expect(targets.length, name).toBeGreaterThan(0);
      const { contents } = tarball(name);
      for (const target of targets) expect(contents, name).toContain(target.replace(/^\.\//, ''));
    }
  });

  test('the package of the gateway contains the built dashboard', () => {
    const { contents } = tarball('@esdb-gater/gateway');
    expect(contents).toContain('public/index.html');
    const page = readFileSync(join(root, 'apps', 'gateway', 'public', 'index.html'), 'utf8');
    const files = [...page.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, file]) => `public/${file}`);
    expect(files.length).toBe(3);
    expect(contents).toEqual(expect.arrayContaining(files));
  });

  test('every package has its licence, a README, keywords and a description [R33]', () => {
    for (const one of publishedFolders().filter((path) => !path.includes(join('native', 'npm')))) {
      const { name, keywords } = manifestOf(one);
      expect(tarball(name).contents, name).toEqual(expect.arrayContaining(['LICENSE', 'README.md']));
      expect(keywords, name).toContain('event-sourcing');
    }
  });

  test('every package names the repository of the workspace and its folder there [R33]', () => {
    const { repository } = manifestOf(root);
    for (const one of publishedFolders()) {
      const directory = relative(root, one).replaceAll('\\', '/');
      expect(manifestOf(one).repository, directory).toEqual({ ...repository, directory });
    }
  });

  test('the security package works alone, without the addon, in TypeScript', () => {
    const at = join(folder, 'alone');
    install(at, SECURITY.map(tarball));
    expect(readdirSync(join(at, 'node_modules', '@esdb-gater')).sort()).toEqual([
      'primitives',
      'security',
      'types',
    ]);
    const { engine, details, answers } = ask(at);
    expect(engine).toBe('typescript');
    expect(details.reason).toContain('@esdb-gater/native');
    expect(answers).toMatchObject(KNOWN);
  }, 60_000);

  test('the client works alone, and reports when there is no gateway', () => {
    const at = join(folder, 'client');
    install(at, CLIENT.map(tarball));
    const text = `
import { connect } from '@esdb-gater/client';
try {
  await connect('ws://127.0.0.1:9/v1/ws', { connectTimeoutMs: 300 });
} catch (error) {
  console.log(error.code);
}
process.exit();`;
    expect(run(at, text).trim()).toBe('unavailable');
    expect(ask(at).answers).toMatchObject(KNOWN);
  }, 60_000);
});

/** All texts in a tree of export conditions that are in the package whoever asks. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return Object.values((value ?? {}) as object).flatMap(textsOf);
}

describe('T24: with the addon', () => {
  if (staged === undefined && process.env['CI'] !== 'true') {
    test.skip('needs the addon, which npm run build:native builds', () => undefined);
    return;
  }
  const at = join(folder, 'native');
  beforeAll(() => {
    if (staged === undefined) throw new Error('the addon is not built: npm run build:native');
    install(at, [...SECURITY, '@esdb-gater/native', staged.name].map(tarball));
  }, 60_000);

  test('never again: a native module that can never load', () => {
    expect(ask(at, { ESDB_GATER_ENGINE: 'native' }).engine).toBe('native');
  });

  test('the same package finds it, and answers the same as without it', () => {
    const [native, typescript] = [ask(at), ask(at, { ESDB_GATER_ENGINE: 'typescript' })];
    expect([native.engine, typescript.engine]).toEqual(['native', 'typescript']);
    expect(native.details.reason).toBeUndefined();
    expect(native.answers).toMatchObject(KNOWN);
    expect(native.answers).toEqual(typescript.answers);
  });

  test('an addon that is damaged, of another version or mislabelled is not used, and TypeScript gives the same answers', () => {
    const broken = join(folder, 'broken');
    install(broken, [...SECURITY, '@esdb-gater/native', staged?.name ?? ''].map(tarball));
    const installed = join(broken, 'node_modules', staged?.name ?? '');
    const addon = join(installed, readdirSync(installed).find((name) => name.endsWith('.node')) ?? '');
    const manifest = join(installed, 'package.json');
    const entry = readFileSync(manifest, 'utf8');
    const main = join(broken, 'node_modules', '@esdb-gater', 'native', 'main.js');
    const loader = readFileSync(main, 'utf8');
    const whole = readFileSync(addon);
    const faults: readonly (readonly [string, () => void])[] = [
      [
        'wrong answers',
        () => {
          writeFileSync(main.replace('main.js', 'real.js'), loader);
          writeFileSync(
            main,
            "export * from './real.js';\nexport const hmacSha256 = () => new Uint8Array(32);\n",
          );
        },
      ],
      [
        'another version',
        () => {
          writeFileSync(main, loader);
          writeFileSync(join(installed, 'fake.cjs'), 'module.exports = { version: "0.0.1" };');
          writeFileSync(manifest, JSON.stringify({ ...JSON.parse(entry), main: 'fake.cjs' }));
        },
      ],
      [
        'another thing',
        () => {
          const { version } = JSON.parse(entry) as { version: string };
          writeFileSync(join(installed, 'fake.cjs'), `module.exports = { version: "${version}" };`);
        },
      ],
      [
        'no addon at all',
        () => {
          writeFileSync(manifest, entry);
          // Replaced by another file: a file that a process has mapped must not be written to.
          rmSync(addon);
          writeFileSync(addon, 'MZ'.repeat(2_000));
        },
      ],
      ['cut off', () => writeFileSync(addon, whole.subarray(0, whole.length >> 1))],
      ['empty', () => writeFileSync(addon, '')],
      ['gone', () => rmSync(addon)],
    ];
    for (const [fault, make] of faults) {
      make();
      const { engine, details, answers } = ask(broken);
      expect(engine, fault).toBe('typescript');
      expect(details.reason, fault).toContain('@esdb-gater/native');
      expect(answers, fault).toMatchObject(KNOWN);
      expect(() => ask(broken, { ESDB_GATER_ENGINE: 'native' }), fault).toThrow('not_supported');
    }
  }, 60_000);
});
