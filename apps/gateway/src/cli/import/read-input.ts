import { createReadStream, fstatSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { waitFor } from '@esdb-gater/primitives';
import { invalidArgument } from '@esdb-gater/types';
import { systemProblem } from '../../config/read-text-file.ts';
import type { Terminal } from '../context.ts';
import { UsageError } from '../exit.ts';
import { type InputLine, linesOf } from '../lines.ts';
import { jsonItemsOf } from './json-items.ts';

type Bytes = AsyncIterable<Uint8Array>;

/** What an import reads. */
export interface ImportInput {
  /** The absolute path of the file; `-` for standard input. */
  readonly name: string;
  /** The events as JSON texts. */
  readonly lines: AsyncIterable<InputLine>;
  /** The size of the file; undefined for standard input. */
  readonly totalBytes: number | undefined;
  /** How much of the input was read so far, before it was decompressed. */
  bytesRead(): number;
}

const CHUNK_BYTES = 262_144;

/** White space that may stand before the first value. */
const MAX_BLANK_BYTES = 65_536;

/**
 * Opens FILE, or standard input without one. NDJSON and a JSON array are read, also when they are compressed with gzip.
 *
 * @throws UsageError when there is nothing to read; the lines throw LineError, `invalid_argument` (reason `input`) for
 * another kind of file, and the reason of `terminal.interrupted`
 */
export function openInput(file: string | undefined, terminal: Terminal): ImportInput {
  const { name, source, totalBytes } = sourceOf(file, terminal);
  let bytesRead = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of untilAborted(readable(source, name), terminal.interrupted)) {
      bytesRead += chunk.length;
      yield chunk;
    }
  }
  return { name, totalBytes, lines: valuesOf(counted()), bytesRead: () => bytesRead };
}

function sourceOf(
  file: string | undefined,
  terminal: Terminal,
): { readonly name: string; readonly source: Bytes; readonly totalBytes: number | undefined } {
  if (file === undefined || file === '-') {
    const { isTTY, fd } = terminal.stdin;
    if (isTTY === true) throw new UsageError('give a FILE, or events on standard input');
    // Node.js reads a directory on standard input as if it were empty.
    if (fd !== undefined && fstatSync(fd).isDirectory())
      throw new UsageError('standard input is a directory');
    return { name: '-', source: terminal.stdin, totalBytes: undefined };
  }
  try {
    const stats = statSync(file);
    if (stats.isDirectory()) {
      throw new UsageError(
        `${file} is a directory; give one of its files, or join them: cat ${file}/* | esdb-gater import`,
      );
    }
    return {
      name: resolve(file),
      source: chunksOf(file),
      totalBytes: stats.isFile() ? stats.size : undefined,
    };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot read ${file}: ${systemProblem(error)}`);
  }
}

/** Opens the file when its first chunk is wanted, so that its errors have somebody to go to. */
async function* chunksOf(file: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(file, { highWaterMark: CHUNK_BYTES });
}

/** Passes chunks on, with an error that says what cannot be read and why. */
async function* readable(source: Bytes, name: string): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (error) {
    throw unreadable(`cannot read ${name === '-' ? 'standard input' : name}: ${systemProblem(error)}`);
  }
}

/** Passes chunks on until the signal aborts. @throws its reason, also while no chunk comes */
async function* untilAborted(source: Bytes, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await waitFor(chunks.next(), { signal });
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // A source that waits for its sender ends when it has heard of it.
    void chunks.return?.().catch(() => undefined);
  }
}

async function* valuesOf(source: Bytes): AsyncGenerator<InputLine> {
  let { head, chunks } = await peek(source, (bytes) => bytes.length >= LONGEST_SIGNATURE);
  if (head[0] === 0x1f && head[1] === 0x8b) {
    ({ head, chunks } = await peek(gunzip(chunks), (bytes) => bytes.length >= LONGEST_SIGNATURE));
  }
  refuseOtherKinds(head);
  ({ head, chunks } = await peek(chunks, (bytes) => firstByte(bytes) !== undefined));
  yield* firstByte(head) === 0x5b ? jsonItemsOf(chunks) : linesOf(chunks);
}

/** Reads chunks until `enough` of them have come, and puts them back in front. */
async function peek(
  source: Bytes,
  enough: (head: Uint8Array) => boolean,
): Promise<{ head: Uint8Array; chunks: Bytes }> {
  const iterator = source[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array();
  while (!enough(head) && head.length < MAX_BLANK_BYTES) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    if (head.length > 0) yield head;
    yield* { [Symbol.asyncIterator]: () => iterator };
  }
  return { head, chunks: all() };
}

/** Returns the first byte that is neither white space nor a byte order mark. */
function firstByte(bytes: Uint8Array): number | undefined {
  return bytes.find((byte) => ![0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf].includes(byte));
}

async function* gunzip(chunks: Bytes): AsyncGenerator<Uint8Array> {
  const unzipped = createGunzip({ chunkSize: CHUNK_BYTES });
  // Its errors come out of the iteration below.
  pipeline(Readable.from(chunks, { objectMode: false }), unzipped, () => undefined);
  try {
    yield* unzipped;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!code.startsWith('Z_')) throw error;
    throw unreadable(`the gzip data is damaged or incomplete: ${(error as Error).message}`);
  }
}

/** Kinds of files that begin with these bytes, and what to do with them. */
const OTHER_KINDS: readonly { readonly begins: readonly number[]; readonly problem: string }[] = [
  { begins: [0xff, 0xfe], problem: 'is UTF-16; convert it to UTF-8: iconv -f UTF-16 -t UTF-8' },
  { begins: [0xfe, 0xff], problem: 'is UTF-16; convert it to UTF-8: iconv -f UTF-16 -t UTF-8' },
  { begins: [0x50, 0x4b, 0x03, 0x04], problem: 'is a zip archive; decompress it: unzip -p' },
  { begins: [0x28, 0xb5, 0x2f, 0xfd], problem: 'is compressed with zstd; decompress it: zstd -dc' },
  { begins: [0xfd, 0x37, 0x7a, 0x58, 0x5a], problem: 'is compressed with xz; decompress it: xz -dc' },
  { begins: [0x42, 0x5a, 0x68], problem: 'is compressed with bzip2; decompress it: bzip2 -dc' },
];

const LONGEST_SIGNATURE = Math.max(...OTHER_KINDS.map(({ begins }) => begins.length));

function refuseOtherKinds(head: Uint8Array): void {
  const kind = OTHER_KINDS.find(({ begins }) => begins.every((byte, index) => head[index] === byte));
  if (kind !== undefined) throw unreadable(`the input ${kind.problem} FILE | esdb-gater import --name FILE`);
}

function unreadable(problem: string): Error {
  return invalidArgument('input', problem);
}
