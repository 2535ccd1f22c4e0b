import { type FileHandle, open } from 'node:fs/promises';
import { SingleFlight } from '@esdb-gater/primitives';
import { calculateDelay } from '@esdb-gater/retry';
import type { StoredRevocation } from '@esdb-gater/security';
import { type Clock, GaterError, type Logger, type Timer } from '@esdb-gater/types';
import { PRIVATE_MODE, writeFileAtomic } from '../node/atomic-file.ts';
import { readOptional } from '../node/data-dir.ts';

/** Appends revocations to a file, one JSON value per line. */
export interface RevocationFile {
  /** The entries that the file had when it was opened, unchecked. */
  readonly stored: readonly unknown[];
  /** Adds a revocation that is due to be written. */
  add(entry: StoredRevocation): void;
  /**
   * Resolves once everything that was added is on disk. Revocations that could not be written stay pending, and the
   * write is retried periodically.
   *
   * @throws `unavailable` when writing fails
   */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface RevocationFileComponents {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Returns all revocations that are still needed, which a compaction keeps. */
  readonly kept: () => readonly StoredRevocation[];
}

/** The file is compacted when at least so many of its lines, and half of them, are no longer needed. */
const MIN_EXPIRED_LINES = 1_000;

const RETRY = { baseDelayMs: 500, maxDelayMs: 30_000 };

/**
 * Opens a file of revocations. It is created by the first one. A last line without its line feed was never
 * acknowledged, and is dropped.
 *
 * @throws `invalid_argument` for a damaged line: without it a revoked token would be valid again; `unavailable` when
 * the file cannot be used
 */
export async function openRevocationFile(
  file: string,
  components: RevocationFileComponents,
): Promise<RevocationFile> {
  const text = await readOptional(file);
  if (text === undefined) return new AppendedRevocations(file, components, [], undefined, 0);
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const stored = whole
    .split('\n')
    .slice(0, -1)
    .map((line, i) => parseLine(line, `${file} is damaged: line ${i + 1} is invalid JSON`));
  const handle = await open(file, 'r+').catch((error: unknown) => {
    throw writeFailure(file, error);
  });
  return new AppendedRevocations(file, components, stored, handle, Buffer.byteLength(whole));
}

/** @throws `invalid_argument`, reason `revocation` */
export function parseLine(line: string, problem: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch (error) {
    throw new GaterError('invalid_argument', problem, { details: { reason: 'revocation' }, cause: error });
  }
}

class AppendedRevocations implements RevocationFile {
  readonly stored: readonly unknown[];
  readonly #file: string;
  readonly #components: RevocationFileComponents;
  readonly #writes: SingleFlight<void> = new SingleFlight(() => this.#write());
  /** Undefined while the file must be written as a whole. */
  #handle: FileHandle | undefined;
  /** The length up to which the file is on disk. */
  #bytes: number;
  /** The file may be longer than that: a torn last line, or a failed write. */
  #torn = true;
  #lines: number;
  #compactAtLines = 2 * MIN_EXPIRED_LINES;
  /** Added and not yet on disk, the oldest first. */
  readonly #due: StoredRevocation[] = [];
  #failures = 0;
  #retry: Timer | undefined;
  #closed = false;

  constructor(
    file: string,
    components: RevocationFileComponents,
    stored: readonly unknown[],
    handle: FileHandle | undefined,
    bytes: number,
  ) {
    this.#file = file;
    this.#components = components;
    this.stored = stored;
    this.#handle = handle;
    this.#bytes = bytes;
    this.#lines = stored.length;
  }

  add(entry: StoredRevocation): void {
    this.#due.push(entry);
  }

  async flush(): Promise<void> {
    if (this.#due.length > 0) await this.#writes.run();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.flush().catch(() => undefined);
    this.#retry?.cancel();
    await this.#handle?.close();
  }

  async #write(): Promise<void> {
    const { clock, logger } = this.#components;
    this.#retry?.cancel();
    try {
      if (this.#handle === undefined) await this.#rewrite();
      else if (this.#due.length > 0) await this.#append(this.#handle);
      this.#failures = 0;
    } catch (error) {
      const failure = writeFailure(this.#file, error);
      if (this.#failures === 0) logger.error({ err: failure }, 'cannot write revocations, trying again');
      if (!this.#closed) {
        const again = (): void => void this.flush().catch(() => undefined);
        this.#retry = clock.setTimer(again, calculateDelay(this.#failures++, RETRY), { unref: true });
      }
      throw failure;
    }
    if (this.#lines >= this.#compactAtLines) await this.#compact();
  }

  async #append(handle: FileHandle): Promise<void> {
    const count = this.#due.length;
    const bytes = Buffer.from(this.#due.map(lineOf).join(''));
    if (this.#torn) await handle.truncate(this.#bytes);
    this.#torn = true;
    for (let written = 0; written < bytes.length; ) {
      const position = this.#bytes + written;
      written += (await handle.write(bytes, written, bytes.length - written, position)).bytesWritten;
    }
    await handle.datasync();
    this.#torn = false;
    this.#bytes += bytes.length;
    this.#lines += count;
    this.#due.splice(0, count);
  }

  /** Writes the whole file, with the revocations that are still needed. These include the pending ones. */
  async #rewrite(): Promise<void> {
    const lines = this.#components.kept().map(lineOf);
    const due = this.#due.length;
    const text = lines.join('');
    await writeFileAtomic(this.#file, text, PRIVATE_MODE);
    const former = this.#handle;
    this.#handle = undefined;
    await former?.close();
    this.#handle = await open(this.#file, 'r+');
    this.#bytes = Buffer.byteLength(text);
    this.#torn = false;
    this.#lines = lines.length;
    this.#due.splice(0, due);
  }

  async #compact(): Promise<void> {
    const kept = this.#components.kept().length;
    const expired = this.#lines - kept;
    if (expired >= Math.max(MIN_EXPIRED_LINES, kept)) {
      await this.#rewrite().catch((error: unknown) => {
        this.#components.logger.warn({ err: error }, 'cannot compact the revocations yet');
      });
    }
    this.#compactAtLines = this.#lines + MIN_EXPIRED_LINES;
  }
}

function lineOf(entry: StoredRevocation): string {
  return `${JSON.stringify(entry)}\n`;
}

function writeFailure(file: string, error: unknown): GaterError {
  const { code = String(error) } = error as NodeJS.ErrnoException;
  return new GaterError('unavailable', `cannot write ${file}: ${code}`, { cause: error });
}
