import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type AddonError, type LoaderComponents, loadAddon } from '../loader.js';
import { addonFile, PLATFORMS, platformPackage } from '../platforms.js';
import { describeAddon } from './addon.ts';

const root = join(import.meta.dirname, '..');
const text = (file: string): string => readFileSync(join(root, file), 'utf8');
const manifest = JSON.parse(text('package.json')) as Readonly<Record<string, unknown>>;

const linux = { version: '1.0.0', os: 'linux', cpu: 'x64' };

/** A `require` that knows some modules. */
const requiring =
  (modules: Readonly<Record<string, unknown>>): LoaderComponents['require'] =>
  (id) => {
    if (Object.hasOwn(modules, id)) return modules[id];
    throw new Error(`Cannot find module '${id}'\nRequire stack:\n- /somewhere`);
  };

const failureOf = (components: LoaderComponents): AddonError => {
  try {
    loadAddon(components);
  } catch (error) {
    return error as AddonError;
  }
  throw new Error('it loaded');
};

describe('the loader', () => {
  test('takes the addon built here before that of a package, and glibc before musl', () => {
    const [here, installed, musl] = [{ version: '1.0.0' }, { version: '1.0.0' }, { version: '1.0.0' }];
    const modules = {
      './esdb-gater-native.linux-x64-gnu.node': here,
      '@esdb-gater/native-linux-x64-gnu': installed,
      '@esdb-gater/native-linux-x64-musl': musl,
    };
    expect(loadAddon({ ...linux, require: requiring(modules) })).toBe(here);
    const { './esdb-gater-native.linux-x64-gnu.node': _, ...packages } = modules;
    expect(loadAddon({ ...linux, require: requiring(packages) })).toBe(installed);
    expect(loadAddon({ ...linux, require: requiring({ '@esdb-gater/native-linux-x64-musl': musl }) })).toBe(
      musl,
    );
  });

  test('lists every attempt with its error when all fail', () => {
    const error = failureOf({ ...linux, require: requiring({}) });
    const candidates = [
      './esdb-gater-native.linux-x64-gnu.node',
      './esdb-gater-native.linux-x64-musl.node',
      '@esdb-gater/native-linux-x64-gnu',
      '@esdb-gater/native-linux-x64-musl',
    ];
    expect(error.code).toBe('ERR_NATIVE_ADDON');
    expect(error.attempts.map(({ candidate }) => candidate)).toEqual(candidates);
    for (const candidate of candidates) {
      expect(error.message).toContain(`\n  ${candidate}: Cannot find module '${candidate}'\n`);
    }
    expect(error.message).toContain('npm run build:native');
    expect(error.message).not.toContain('Require stack');
  });

  test('leaves an addon of another version, and takes a later one that fits', () => {
    const stale = { './esdb-gater-native.linux-x64-gnu.node': { version: '0.9.0' } };
    const error = failureOf({ ...linux, require: requiring(stale) });
    expect(error.message).toContain('it is of version 0.9.0, not 1.0.0');
    const fitting = { version: '1.0.0' };
    const modules = { ...stale, '@esdb-gater/native-linux-x64-gnu': fitting };
    expect(loadAddon({ ...linux, require: requiring(modules) })).toBe(fitting);
  });

  test('reports an unsupported platform', () => {
    const error = failureOf({ ...linux, os: 'aix', cpu: 'ppc64', require: requiring({}) });
    expect(error.message).toMatch(/^no native addon for aix ppc64: this platform is not supported\n/);
    expect(error.attempts).toEqual([]);
  });
});

describe('the platform packages', () => {
  test('are one folder for each platform of the table', () => {
    expect(readdirSync(join(root, 'npm')).sort()).toEqual(PLATFORMS.map(({ name }) => name).sort());
  });

  for (const platform of PLATFORMS) {
    test(`${platform.name} names its platform, and has the version of this package`, () => {
      const { os, cpu, libc, name, version, main, files } = JSON.parse(
        text(`npm/${platform.name}/package.json`),
      );
      expect({ os, cpu, libc, name, version, main, files }).toEqual({
        os: [platform.os],
        cpu: [platform.cpu],
        libc: platform.libc === undefined ? undefined : [platform.libc],
        name: platformPackage(platform),
        version: manifest['version'],
        main: addonFile(platform),
        files: [addonFile(platform)],
      });
    });
  }

  test('are not dependencies in the repository, and have no install scripts', () => {
    expect(manifest).not.toHaveProperty('optionalDependencies');
    const scripts = Object.keys(manifest['scripts'] as object);
    expect(scripts.filter((name) => /install|prepare|prepublish/.test(name))).toEqual([]);
  });

  test('have the version that is compiled into the addon', () => {
    expect(/^version = "(.+)"$/m.exec(text('Cargo.toml'))?.[1]).toBe(manifest['version']);
  });
});

describeAddon('the entry', (native) => {
  test('exports the same functions by require and import, including every declared one', () => {
    const required = createRequire(import.meta.url)('../main.js') as object;
    const declared = [...text('main.d.ts').matchAll(/^export declare (?:function|const) (\w+)/gm)].map(
      ([, name]) => name,
    );
    expect(Object.keys(required).sort()).toEqual(declared.sort());
    expect(Object.keys(native).sort()).toEqual(declared.sort());
    expect(native.version).toBe(manifest['version']);
  });
});
