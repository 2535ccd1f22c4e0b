import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { addonFile, platformsOf } from '../platforms.js';
import { describeAddon } from './addon.ts';

const LIMIT_MS = 60_000;
const OFFSETS = 48;

const root = join(import.meta.dirname, '..');
const temporary = mkdtempSync(join(tmpdir(), 'esdb-gater-damaged-'));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

interface Answer {
  readonly folder: string;
  readonly text?: string;
  readonly code?: string;
  readonly reasons?: readonly string[];
}

/** The addon built here. */
function built(): { readonly name: string; readonly bytes: Buffer } {
  for (const platform of platformsOf(process.platform, process.arch)) {
    const name = addonFile(platform);
    if (existsSync(join(root, name))) return { name, bytes: readFileSync(join(root, name)) };
  }
  throw new Error('the addon is not built: npm run build:native');
}

describeAddon('a damaged or foreign addon', (native) => {
  const { name, bytes } = built();
  let folders = 0;

  /** A folder with an addon of these bytes, or whatever `make` creates at its path. */
  function folderOf(content: Buffer | string | ((path: string) => void)): string {
    const folder = join(temporary, `${folders++}`);
    mkdirSync(folder);
    if (typeof content === 'function') content(join(folder, name));
    else writeFileSync(join(folder, name), content);
    return folder;
  }

  /** The answers of one new process to each folder, one after the other. It must end by itself. */
  function load(all: readonly string[]): Answer[] {
    const child = spawnSync(
      process.execPath,
      [join(import.meta.dirname, 'damaged-child.ts'), native.version],
      {
        input: all.map((folder) => `${folder}\n`).join(''),
        encoding: 'utf8',
        timeout: LIMIT_MS,
      },
    );
    expect({ status: child.status, signal: child.signal }, child.stderr).toEqual({ status: 0, signal: null });
    const answers = child.stdout
      .trim()
      .split('\n')
      .map((line): Answer => JSON.parse(line));
    expect(answers.map(({ folder }) => folder)).toEqual(all);
    return answers;
  }

  const changed = (change: (copy: Buffer) => void): Buffer => {
    const copy = Buffer.from(bytes);
    change(copy);
    return copy;
  };

  test('is refused wherever it is cut, without ending the process', { timeout: LIMIT_MS }, () => {
    const spread = Array.from({ length: OFFSETS }, (_, i) => Math.floor((bytes.length * i) / OFFSETS));
    const sizes = [...spread, 1, 4, 63, 64, 65, 4_095, 4_096, bytes.length - 4_096, bytes.length - 1];
    const cut = sizes.map((size) => folderOf(bytes.subarray(0, size)));
    const whole = folderOf(bytes);
    const answers = load([...cut, whole]);
    // The complete addon loads in the same process, so the others were refused because of their size.
    expect(answers.pop()).toEqual({ folder: whole, text: '1' });
    for (const [index, answer] of answers.entries()) {
      expect(answer.code, `${sizes[index]} bytes`).toBe('ERR_NATIVE_ADDON');
      expect(answer.reasons?.[0], `${sizes[index]} bytes`).toBe('ERR_NATIVE_BINARY');
    }
    for (const folder of [...cut, whole]) rmSync(folder, { recursive: true });
  });

  test('is refused when it is text, empty, or for another platform', { timeout: LIMIT_MS }, () => {
    const foreign: readonly (readonly [string, Buffer | string])[] = [
      ['nothing', ''],
      ['text', 'module.exports = { version: "0" };\n'.repeat(100)],
      ['zeros', Buffer.alloc(bytes.length)],
      ['the header alone', changed((copy) => copy.fill(0, 64))],
      ['ELF', Buffer.concat([Buffer.from('7f454c46020101', 'hex'), Buffer.alloc(4_096)])],
      ['Mach-O', Buffer.concat([Buffer.from('cffaedfe', 'hex'), Buffer.alloc(4_096)])],
      ['PE', Buffer.concat([Buffer.from('MZ'), Buffer.alloc(4_096)])],
      ...(process.platform === 'linux' ? foreignElf() : []),
    ];
    const answers = load(foreign.map(([, content]) => folderOf(content)));
    for (const [index, answer] of answers.entries()) {
      const what = foreign[index]?.[0];
      expect(answer.code, what).toBe('ERR_NATIVE_ADDON');
      expect(answer.reasons?.[0], what).toBe('ERR_NATIVE_BINARY');
    }
  });

  function foreignElf(): readonly (readonly [string, Buffer])[] {
    const ARM64 = 0xb7;
    const X64 = 0x3e;
    return [
      ['another machine', changed((copy) => copy.writeUInt16LE(process.arch === 'x64' ? ARM64 : X64, 18))],
      ['no known machine', changed((copy) => copy.writeUInt16LE(0xffff, 18))],
      ['32 bits', changed((copy) => copy.writeUInt8(1, 4))],
      ['the other byte order', changed((copy) => copy.writeUInt8(2, 5))],
      ['a program', changed((copy) => copy.writeUInt16LE(2, 16))],
      ['segments elsewhere', changed((copy) => copy.writeBigUInt64LE(BigInt(copy.length), 32))],
    ];
  }

  test('is not found when it is a folder', { timeout: LIMIT_MS }, () => {
    const [answer] = load([folderOf((path) => mkdirSync(path))]);
    expect(answer?.code).toBe('ERR_NATIVE_ADDON');
    expect(answer?.reasons?.[0]).toBe('MODULE_NOT_FOUND');
  });
});
