import { createReadStream, statSync } from 'node:fs';
import { GaterError } from '@esdb-gater/types';
import { type CommonOptions, connectGateway, outputOf, type Terminal } from '../context.ts';
import { errorLine } from '../error-line.ts';
import { EXIT, UsageError } from '../exit.ts';
import { type ImportedEvent, importLine } from '../import/import-line.ts';
import { createImporter, ImportError } from '../import/importer.ts';
import { createProgress } from '../import/progress.ts';
import { LineError, linesOf } from '../lines.ts';

export interface ImportOptions extends CommonOptions {
  readonly stream?: string;
}

const WINDOW_EVENTS = 1_000;

/** An append of a thousand events may wait its turn behind the others of its window. */
const APPEND_TIMEOUT_MS = 60_000;

/** `import [FILE]`: NDJSON or CloudEvents into the store, resumable by running it again. */
export async function importEvents(
  file: string | undefined,
  options: ImportOptions,
  terminal: Terminal,
): Promise<number> {
  const { input, total } = openInput(file, terminal);
  await using client = await connectGateway(options, terminal);
  const importer = createImporter(options.store, (params) =>
    client.appendEvents(params, { signal: terminal.interrupted, timeoutMs: APPEND_TIMEOUT_MS }),
  );
  const progress = createProgress(terminal.stderr, () => performance.now());
  let window: ImportedEvent[] = [];
  let bytesRead = 0;
  const flush = async (): Promise<void> => {
    const events = window;
    window = [];
    if (events.length > 0) await importer.window(events);
    const { written, present } = importer.counts();
    progress.update(bytesRead, total, written + present);
  };

  let failure: unknown;
  try {
    for await (const line of linesOf(input)) {
      if (terminal.interrupted.aborted) break;
      window.push(importLine(line, options.stream));
      bytesRead = line.bytesRead;
      if (window.length >= WINDOW_EVENTS) await flush();
    }
    await flush();
  } catch (error) {
    failure = error;
    // What stands before a bad line is good and is written, so that only the line itself needs mending.
    if (error instanceof LineError) await flush().catch((second: unknown) => (failure = second));
  }
  progress.end();

  const counts = importer.counts();
  const words = `imported ${counts.written} events into ${counts.streams} streams${counts.present > 0 ? `, ${counts.present} were there before` : ''}`;
  if (failure === undefined && !terminal.interrupted.aborted) {
    await outputOf(options, terminal).result(counts, words);
    return EXIT.ok;
  }
  terminal.stderr.write(`${errorLine(refusalOf(failure), options.json === true)}\n`);
  terminal.stderr.write(`${words}; run the same command again to go on where it stopped\n`);
  return EXIT.failed;
}

function openInput(
  file: string | undefined,
  terminal: Terminal,
): { input: AsyncIterable<Uint8Array>; total: number | undefined } {
  if (file === undefined || file === '-') {
    if (terminal.stdin.isTTY === true) throw new UsageError('give a FILE, or NDJSON on standard input');
    return { input: terminal.stdin, total: undefined };
  }
  try {
    const { size } = statSync(file);
    return { input: createReadStream(file, { highWaterMark: 1 << 20 }), total: size };
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${(error as Error).message}`);
  }
}

function refusalOf(failure: unknown): GaterError {
  if (failure === undefined) return new GaterError('unavailable', 'interrupted');
  if (failure instanceof ImportError) {
    return new GaterError(failure.refusal.code, failure.message, {
      details: { ...failure.refusal.details, line: failure.line },
    });
  }
  if (failure instanceof LineError) {
    return new GaterError('invalid_argument', failure.message, {
      details: { reason: 'line', line: failure.number },
    });
  }
  return GaterError.from(failure);
}
