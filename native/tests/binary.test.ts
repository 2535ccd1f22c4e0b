import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type BinaryError, checkBinary, type Platform } from '../binary.js';

/* Headers written by hand after the specifications, so that the rules of each platform run on every machine. */

const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-binary-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Field = readonly [
  offset: number,
  value: number | bigint,
  write: 'u16' | 'u32' | 'u64' | 'u32be' | 'u64be',
];

function bytesOf(size: number, fields: readonly Field[]): Buffer {
  const bytes = Buffer.alloc(size, 0);
  for (const [offset, value, write] of fields) {
    if (write === 'u16') bytes.writeUInt16LE(Number(value), offset);
    else if (write === 'u32') bytes.writeUInt32LE(Number(value), offset);
    else if (write === 'u32be') bytes.writeUInt32BE(Number(value), offset);
    else if (write === 'u64') bytes.writeBigUInt64LE(BigInt(value), offset);
    else bytes.writeBigUInt64BE(BigInt(value), offset);
  }
  return bytes;
}

/** 64 bytes of header, two program headers, the segments to byte 400, one section header to byte 464. */
const elf = (machine: number, fields: readonly Field[] = []): Buffer =>
  bytesOf(464, [
    [0, 0x7f45_4c46, 'u32be'],
    [4, 0x0102, 'u16'],
    [16, 3, 'u16'],
    [18, machine, 'u16'],
    [32, 64, 'u64'],
    [40, 400, 'u64'],
    [54, 56, 'u16'],
    [56, 2, 'u16'],
    [58, 64, 'u16'],
    [60, 1, 'u16'],
    [64, 1, 'u32'],
    [64 + 32, 200, 'u64'],
    [120, 1, 'u32'],
    [120 + 8, 200, 'u64'],
    [120 + 32, 200, 'u64'],
    ...fields,
  ]);

/** 32 bytes of header, a segment command and another of 16 bytes, the segment to byte 300. */
const machO = (machine: number, fields: readonly Field[] = []): Buffer =>
  bytesOf(300, [
    [0, 0xfeed_facf, 'u32'],
    [4, machine, 'u32'],
    [12, 6, 'u32'],
    [16, 2, 'u32'],
    [20, 88, 'u32'],
    [32, 0x19, 'u32'],
    [36, 72, 'u32'],
    [32 + 40, 0, 'u64'],
    [32 + 48, 300, 'u64'],
    [104, 0x1b, 'u32'],
    [108, 16, 'u32'],
    ...fields,
  ]);

const X64 = 0x0100_0007;
const ARM64 = 0x0100_000c;

const universal = (...parts: readonly (readonly [machine: number, part: Buffer])[]): Buffer => {
  const list = parts.flatMap(([machine, part], index): readonly Field[] => [
    [8 + index * 20, machine, 'u32be'],
    [8 + index * 20 + 8, 64 + index * 300, 'u32be'],
    [8 + index * 20 + 12, part.length, 'u32be'],
  ]);
  const header = bytesOf(64, [[0, 0xcafe_babe, 'u32be'], [4, parts.length, 'u32be'], ...list]);
  return Buffer.concat([header, ...parts.map(([, part]) => part)]);
};

const universal64 = (machine: number, part: Buffer): Buffer =>
  Buffer.concat([
    bytesOf(64, [
      [0, 0xcafe_babf, 'u32be'],
      [4, 1, 'u32be'],
      [8, machine, 'u32be'],
      [16, 64, 'u64be'],
      [24, part.length, 'u64be'],
    ]),
    part,
  ]);

/** The header at byte 128, two sections, the last to byte 500. */
const pe = (machine: number, fields: readonly Field[] = []): Buffer =>
  bytesOf(500, [
    [0, 0x5a4d, 'u16'],
    [60, 128, 'u32'],
    [128, 0x5045_0000, 'u32be'],
    [132, machine, 'u16'],
    [134, 2, 'u16'],
    [148, 16, 'u16'],
    [150, 0x2022, 'u16'],
    [152, 0x20b, 'u16'],
    [168 + 16, 100, 'u32'],
    [168 + 20, 300, 'u32'],
    [208 + 16, 100, 'u32'],
    [208 + 20, 400, 'u32'],
    ...fields,
  ]);

const of = (os: string, cpu: string): Platform => ({ os, cpu });

const GOOD: readonly (readonly [string, Platform, Buffer])[] = [
  ['ELF x64', of('linux', 'x64'), elf(62)],
  ['ELF arm64', of('linux', 'arm64'), elf(183)],
  ['Mach-O x64', of('darwin', 'x64'), machO(X64)],
  ['Mach-O arm64', of('darwin', 'arm64'), machO(ARM64)],
  ['a Mach-O bundle', of('darwin', 'arm64'), machO(ARM64, [[12, 8, 'u32']])],
  ['universal, its second part', of('darwin', 'arm64'), universal([X64, machO(X64)], [ARM64, machO(ARM64)])],
  ['universal with 64-bit offsets', of('darwin', 'x64'), universal64(X64, machO(X64))],
  ['PE x64', of('win32', 'x64'), pe(0x8664)],
  ['PE arm64', of('win32', 'arm64'), pe(0xaa64)],
];

const HUGE = 2n ** 64n - 1n;

const WRONG: readonly (readonly [string, Platform, Buffer, RegExp])[] = [
  ['ELF for arm64', of('linux', 'x64'), elf(183), /addon for x64 must be 0x3e, got 0xb7/],
  ['ELF for x64', of('linux', 'arm64'), elf(62), /addon for arm64 must be 0xb7, got 0x3e/],
  ['ELF of 32 bits', of('linux', 'x64'), elf(62, [[4, 0x0101, 'u16']]), /64-bit little-endian/],
  ['ELF of the other byte order', of('linux', 'x64'), elf(62, [[4, 0x0202, 'u16']]), /64-bit little-endian/],
  ['a program', of('linux', 'x64'), elf(62, [[16, 2, 'u16']]), /type of the ELF file/],
  ['other program headers', of('linux', 'x64'), elf(62, [[54, 32, 'u16']]), /size of a program header/],
  ['no segments', of('linux', 'x64'), elf(62, [[56, 0, 'u16']]), /a segment to load/],
  [
    'program headers beyond the end',
    of('linux', 'x64'),
    elf(62, [[32, HUGE, 'u64']]),
    /program headers must/,
  ],
  ['a segment beyond the end', of('linux', 'x64'), elf(62, [[128, 400, 'u64']]), /a segment must.*byte 600/],
  ['a segment of any size', of('linux', 'x64'), elf(62, [[152, HUGE, 'u64']]), /a segment must/],
  [
    'a dynamic segment beyond the end',
    of('linux', 'x64'),
    elf(62, [
      [64, 2, 'u32'],
      [72, 900, 'u64'],
    ]),
    /segment/,
  ],
  ['section headers beyond the end', of('linux', 'x64'), elf(62, [[60, 2, 'u16']]), /section headers must/],
  ['Mach-O in place of ELF', of('linux', 'x64'), machO(X64), /must be an ELF library, got .*cffaedfe/],
  ['PE in place of ELF', of('linux', 'x64'), pe(0x8664), /must be an ELF library/],
  ['Mach-O for arm64', of('darwin', 'x64'), machO(ARM64), /addon for x64/],
  [
    'a Mach-O program',
    of('darwin', 'x64'),
    machO(X64, [[12, 2, 'u32']]),
    /a library or a bundle, got type 2/,
  ],
  [
    'Mach-O of 32 bits',
    of('darwin', 'x64'),
    machO(X64, [[0, 0xfeed_face, 'u32']]),
    /must be a Mach-O library/,
  ],
  ['a Mach-O segment beyond the end', of('darwin', 'x64'), machO(X64, [[80, 301, 'u64']]), /a segment must/],
  ['load commands beyond the end', of('darwin', 'x64'), machO(X64, [[20, 400, 'u32']]), /load commands must/],
  ['more load commands', of('darwin', 'x64'), machO(X64, [[16, 3, 'u32']]), /load command must lie/],
  ['a load command without end', of('darwin', 'x64'), machO(X64, [[36, 0, 'u32']]), /load command must lie/],
  ['universal without this one', of('darwin', 'arm64'), universal([X64, machO(X64)]), /a part for arm64/],
  [
    'a class file of Java',
    of('darwin', 'arm64'),
    bytesOf(100, [
      [0, 0xcafe_babe, 'u32be'],
      [4, 65, 'u32be'],
    ]),
    /list of/,
  ],
  ['PE for arm64', of('win32', 'x64'), pe(0xaa64), /addon for x64 must be 0x8664, got 0xaa64/],
  ['a PE program', of('win32', 'x64'), pe(0x8664, [[150, 0x22, 'u16']]), /a library, got a program/],
  ['PE of 32 bits', of('win32', 'x64'), pe(0x8664, [[152, 0x10b, 'u16']]), /optional header/],
  ['DOS', of('win32', 'x64'), pe(0x8664, [[128, 0, 'u32']]), /must be a PE library/],
  ['a PE header beyond the end', of('win32', 'x64'), pe(0x8664, [[60, 490, 'u32']]), /PE header must/],
  [
    'a section beyond the end',
    of('win32', 'x64'),
    pe(0x8664, [[224, 101, 'u32']]),
    /a section must.*501 of 500/,
  ],
];

let files = 0;

function check(bytes: Buffer, platform: Platform): void {
  const file = join(folder, `${files++}.node`);
  writeFileSync(file, bytes);
  try {
    checkBinary(file, platform);
  } finally {
    rmSync(file);
  }
}

function refusal(bytes: Buffer, platform: Platform): BinaryError {
  try {
    check(bytes, platform);
  } catch (error) {
    return error as BinaryError;
  }
  throw new Error('it was taken');
}

describe('the check of a binary before it is loaded', () => {
  test.each(GOOD)('takes %s', (_, platform, bytes) => {
    expect(() => check(bytes, platform)).not.toThrow();
  });

  test.each(GOOD)('refuses %s that is cut at any byte', (_, platform, bytes) => {
    for (let size = 0; size < bytes.length; size++) {
      expect(refusal(bytes.subarray(0, size), platform).code, `${size} bytes`).toBe('ERR_NATIVE_BINARY');
    }
  });

  test.each(WRONG)('refuses %s', (_, platform, bytes, message) => {
    const error = refusal(bytes, platform);
    expect(error.code).toBe('ERR_NATIVE_BINARY');
    expect(error.message).toMatch(message);
  });

  test.each(['linux', 'darwin', 'win32'])('refuses a text, an empty file and a folder on %s', (os) => {
    const platform = of(os, 'x64');
    for (const text of ['', 'x', 'module.exports = {};\n'.repeat(40)]) {
      expect(refusal(Buffer.from(text), platform).code).toBe('ERR_NATIVE_BINARY');
    }
    expect(() => checkBinary(folder, platform)).toThrow('the addon must be a file');
    expect(() => checkBinary(join(folder, 'none.node'), platform)).toThrow(/ENOENT/);
  });
});
