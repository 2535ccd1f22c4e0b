// Helpers of the examples: names that every store accepts, ids that make an import resumable, lines on standard output.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** A line of `esdb-gater import`. */
export interface ImportLine {
  readonly streamId: string;
  readonly type: string;
  readonly data: unknown;
  readonly id: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly tags?: readonly string[];
}

/** An error that ends an example with one line on standard error and this exit code. */
export class ExampleError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

const NAME_UNITS = 255;
// biome-ignore lint/suspicious/noControlCharactersInRegex: replaces control characters on purpose
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

/**
 * A stream id or tag that begins with `prefix` and is as near to `name` as the rules allow: 1 to 255 UTF-16 units, no
 * control characters. A changed name ends with a hash, so that different names stay different.
 *
 * @param name bytes of any encoding, or text
 */
export function validName(prefix: string, name: string | Uint8Array): string {
  const bytes = Buffer.from(name);
  const text = bytes.toString('utf8');
  const clean = text.replace(CONTROL, '_');
  const exact = clean === text && Buffer.from(text).equals(bytes) && text !== '';
  const whole = prefix + clean;
  if (exact && whole.length <= NAME_UNITS) return whole;
  const hash = `_${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
  // toWellFormed, since the cut may split a surrogate pair.
  return whole.slice(0, NAME_UNITS - hash.length).toWellFormed() + hash;
}

const URL_NAMESPACE = Buffer.from('6ba7b8119dad11d180b400c04fd430c8', 'hex');

/** The UUIDv5 of `name` in the URL namespace: the same name has the same id in every run. */
export function uuidV5(name: string): string {
  const bytes = createHash('sha1').update(URL_NAMESPACE).update(name).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Writes one line each, as fast as the reader reads them. A reader that stops early (`head`) is not a failure. */
export async function writeLines(
  lines: AsyncIterable<ImportLine>,
  output: NodeJS.WritableStream,
): Promise<void> {
  try {
    await pipeline(Readable.from(encoded(lines)), output, { end: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
}

async function* encoded(lines: AsyncIterable<ImportLine>): AsyncGenerator<string> {
  for await (const line of lines) yield `${JSON.stringify(line)}\n`;
}

/** Runs an example: an `ExampleError` is one line on standard error. */
export async function runExample(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof ExampleError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}
