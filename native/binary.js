import { closeSync, openSync, readSync, statSync } from 'node:fs';

const HEX = 16;

/** The code of an architecture in a header. */
const ELF_MACHINES = { x64: 0x3e, arm64: 0xb7 };
const MACH_MACHINES = { x64: 0x0100_0007, arm64: 0x0100_000c };
const PE_MACHINES = { x64: 0x8664, arm64: 0xaa64 };

const CHECKS = { linux: checkElf, darwin: checkMachO, win32: checkPe };

/**
 * Checks by its headers that a file is a complete shared library for this platform. The system maps a library into
 * memory as its headers say: if the file is truncated, the first access ends the process with a signal that cannot be
 * caught.
 *
 * @param {string} file a path
 * @param {{ os: string, cpu: string }} platform as `process.platform` and `process.arch` say it
 * @throws Error, code `ERR_NATIVE_BINARY`, that names the problem; errors of the file system
 */
export function checkBinary(file, { os, cpu }) {
  const stat = statSync(file);
  if (!stat.isFile()) throw refusal('the addon must be a file');
  const descriptor = openSync(file, 'r');
  try {
    CHECKS[os](partOf(descriptor, 0, stat.size), cpu);
  } finally {
    closeSync(descriptor);
  }
}

/** ELF-64, see elf(5): the loaded segments and the tables at the end must be within the file. */
function checkElf(file, cpu) {
  const header = file.read(0, 64, 'the ELF header');
  requireMagic(header.readUInt32BE(0) === 0x7f45_4c46, 'an ELF library', header);
  if (header[4] !== 2 || header[5] !== 1) throw refusal('the addon must be 64-bit little-endian ELF');
  requireEqual(header.readUInt16LE(16), 3, 'the type of the ELF file');
  requireEqual(header.readUInt16LE(18), ELF_MACHINES[cpu], `the machine of an addon for ${cpu}`);
  requireEqual(header.readUInt16LE(54), 56, 'the size of a program header');
  const programs = file.read(number64(header, 32), header.readUInt16LE(56) * 56, 'the program headers');
  let loaded = 0;
  for (const program of split(programs, 56)) {
    const type = program.readUInt32LE(0);
    if (type !== 1 && type !== 2) continue;
    if (type === 1) loaded += 1;
    file.require(number64(program, 8), number64(program, 32), 'a segment');
  }
  if (loaded === 0) throw refusal('the addon must have a segment to load');
  file.require(
    number64(header, 40),
    header.readUInt16LE(58) * header.readUInt16LE(60),
    'the section headers',
  );
}

/** 64-bit Mach-O, see mach-o/loader.h, or a universal file that contains it, see mach-o/fat.h. */
function checkMachO(file, cpu) {
  const magic = file.read(0, 8, 'the Mach-O header');
  const kind = magic.readUInt32BE(0);
  if (kind !== 0xcafe_babe && kind !== 0xcafe_babf) return checkThinMachO(file, cpu);
  const size = kind === 0xcafe_babe ? 20 : 32;
  const slices = split(file.read(8, magic.readUInt32BE(4) * size, 'the list of architectures'), size);
  const slice = slices.find((one) => one.readUInt32BE(0) === MACH_MACHINES[cpu]);
  if (slice === undefined) throw refusal(`the universal addon must have a part for ${cpu}`);
  const [offset, length] =
    size === 20
      ? [slice.readUInt32BE(8), slice.readUInt32BE(12)]
      : [Number(slice.readBigUInt64BE(8)), Number(slice.readBigUInt64BE(16))];
  checkThinMachO(file.part(offset, length, `the part for ${cpu}`), cpu);
}

function checkThinMachO(file, cpu) {
  const header = file.read(0, 32, 'the Mach-O header');
  requireMagic(header.readUInt32LE(0) === 0xfeed_facf, 'a Mach-O library of 64 bits', header);
  requireEqual(header.readUInt32LE(4), MACH_MACHINES[cpu], `the machine of an addon for ${cpu}`);
  const type = header.readUInt32LE(12);
  if (type !== 6 && type !== 8) throw refusal(`the addon must be a library or a bundle, got type ${type}`);
  const commands = file.read(32, header.readUInt32LE(20), 'the load commands');
  let start = 0;
  for (let left = header.readUInt32LE(16); left > 0; left--) {
    const size = start + 8 <= commands.length ? commands.readUInt32LE(start + 4) : 0;
    if (size < 8 || start + size > commands.length) throw refusal('a load command must lie among the others');
    const command = commands.subarray(start, start + size);
    // LC_SEGMENT_64
    if (command.readUInt32LE(0) === 0x19 && size >= 72) {
      file.require(number64(command, 40), number64(command, 48), 'a segment');
    }
    start += size;
  }
}

/** PE32+, see "PE Format" of Microsoft. */
function checkPe(file, cpu) {
  const dos = file.read(0, 64, 'the DOS header');
  requireMagic(dos.readUInt16LE(0) === 0x5a4d, 'a PE library', dos);
  const start = dos.readUInt32LE(60);
  const header = file.read(start, 24, 'the PE header');
  requireMagic(header.readUInt32BE(0) === 0x5045_0000, 'a PE library', header);
  requireEqual(header.readUInt16LE(4), PE_MACHINES[cpu], `the machine of an addon for ${cpu}`);
  if ((header.readUInt16LE(22) & 0x2000) === 0) throw refusal('the addon must be a library, got a program');
  const optionalSize = header.readUInt16LE(20);
  const optional = file.read(start + 24, Math.max(optionalSize, 2), 'the optional header');
  requireEqual(optional.readUInt16LE(0), 0x20b, 'the kind of the optional header');
  const sections = file.read(start + 24 + optionalSize, header.readUInt16LE(6) * 40, 'the section headers');
  for (const section of split(sections, 40)) {
    file.require(section.readUInt32LE(20), section.readUInt32LE(16), 'a section');
  }
}

/** A part of an open file. */
function partOf(descriptor, start, size) {
  /** Throws when so many bytes from `offset` on are not all within the part. */
  const require = (offset, length, what) => {
    if (offset + length <= size) return;
    throw refusal(
      `${what} must end within the file, got byte ${offset + length} of ${size}; it is truncated`,
    );
  };
  return {
    require,
    read(offset, length, what) {
      require(offset, length, what);
      const bytes = Buffer.alloc(length);
      if (readSync(descriptor, bytes, 0, length, start + offset) !== length) {
        throw refusal(`${what} could not be read; the file is being changed`);
      }
      return bytes;
    },
    part(offset, length, what) {
      require(offset, length, what);
      return partOf(descriptor, start + offset, length);
    },
  };
}

/** A value that is too large for a double is too large for a file as well. */
function number64(bytes, offset) {
  return Number(bytes.readBigUInt64LE(offset));
}

function split(bytes, size) {
  return Array.from({ length: bytes.length / size }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

function requireMagic(holds, expected, header) {
  if (holds) return;
  throw refusal(`the addon must be ${expected}, got a file that starts with ${header.toString('hex', 0, 4)}`);
}

function requireEqual(actual, expected, what) {
  if (actual === expected) return;
  throw refusal(`${what} must be 0x${expected.toString(HEX)}, got 0x${actual.toString(HEX)}`);
}

function refusal(message) {
  return Object.assign(new Error(message), { code: 'ERR_NATIVE_BINARY' });
}
