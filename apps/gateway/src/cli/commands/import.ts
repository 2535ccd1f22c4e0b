import { onAbort } from '@esdb-gater/primitives';
import { GaterError, LIMITS } from '@esdb-gater/types';
import { type CommonOptions, connectGateway, outputOf, type Terminal, tokenOption } from '../context.ts';
import { errorLine } from '../error-line.ts';
import { EXIT, UsageError } from '../exit.ts';
import { createEventIds } from '../import/event-ids.ts';
import { type ImportedEvent, importLine } from '../import/import-line.ts';
import { type Append, createImporter, type ImportCounts } from '../import/importer.ts';
import { openInput } from '../import/read-input.ts';
import { LineError } from '../lines.ts';
import { createProgress } from '../progress.ts';

export interface ImportOptions extends CommonOptions {
  readonly stream?: string;
  readonly name?: string;
}

/** Events that are held and appended together. */
const WINDOW_EVENTS = 1_000;
const WINDOW_UNITS = 4_194_304;

/** An append of a thousand events may wait its turn behind the others of its window. */
const APPEND_TIMEOUT_MS = 60_000;

/** How long Ctrl-C waits for the answers to appends that are under way. */
const INTERRUPT_MS = 2_000;

/**
 * `import [FILE]`: appends the events of NDJSON, of a JSON array or of CloudEvents. What is written is always the
 * beginning of the file, and running the same command again goes on where it stopped, whatever stopped it.
 */
export async function importEvents(
  file: string | undefined,
  options: ImportOptions,
  terminal: Terminal,
): Promise<number> {
  if (options.name === '') throw new UsageError('--name must not be empty');
  const input = openInput(file, terminal);
  const ended = new AbortController();
  let underWay = 0;
  onAbort(terminal.interrupted, (reason) => {
    if (underWay === 0) ended.abort(reason);
    else setTimeout(() => ended.abort(reason), INTERRUPT_MS).unref();
  });
  await using client = await connectGateway(options, terminal, ended.signal);
  const { messageBytes, frameBytes } = { ...LIMITS, ...limitsOf(client.hello) };
  const append: Append = async (params) => {
    underWay += 1;
    try {
      return await client.appendEvents(params, { signal: ended.signal, timeoutMs: APPEND_TIMEOUT_MS });
    } finally {
      underWay -= 1;
    }
  };
  const importer = createImporter(append, {
    storeId: options.store,
    restricted: tokenOption(options, terminal) !== undefined,
    frameBytes,
    signal: terminal.interrupted,
  });
  const ids = createEventIds(options.name ?? input.name);
  const lineOptions = { storeId: options.store, stream: options.stream, ids, messageBytes };
  const progress = createProgress(terminal.stderr, () => performance.now());
  let window: ImportedEvent[] = [];
  let units = 0;
  const flush = async (): Promise<void> => {
    const events = window;
    window = [];
    units = 0;
    await importer.write(events);
    const { written, present } = importer.counts();
    progress.update(input.bytesRead(), input.totalBytes, written + present);
  };

  let failure: unknown;
  try {
    for await (const line of input.lines) {
      window.push(importLine(line, lineOptions));
      units += line.text.length;
      if (window.length >= WINDOW_EVENTS || units >= WINDOW_UNITS) await flush();
    }
    await flush();
  } catch (error) {
    failure = error;
    // Everything before the problem is good and is written, so that only what is wrong needs mending.
    if (!terminal.interrupted.aborted) await flush().catch((second: unknown) => (failure = second));
  }
  progress.end();

  const counts = importer.counts();
  if (failure === undefined) {
    await outputOf(options, terminal).result(counts, summaryOf(counts, file, options));
    return EXIT.ok;
  }
  const refusal = terminal.interrupted.aborted
    ? GaterError.from(terminal.interrupted.reason)
    : refusalOf(failure);
  const mend = failure instanceof LineError && !refusal.retriable ? 'mend the line, then ' : '';
  const next = `${mend}run the same command again to go on`;
  const message = `${refusal.message}; ${summaryOf(counts, file, options)}; ${next}`;
  const details = options.json === true ? { ...refusal.details, ...counts } : refusal.details;
  const told = new GaterError(refusal.code, message, { details, cause: failure });
  terminal.stderr.write(`${errorLine(told, options.json === true)}\n`);
  return EXIT.failed;
}

function summaryOf(counts: ImportCounts, file: string | undefined, { name }: ImportOptions): string {
  const { written, present, streams } = counts;
  const imported = `imported ${count(written, 'event')} into ${count(streams, 'stream')}`;
  if (present === 0) return imported;
  const hint =
    file === undefined && name === undefined ? ' (--name tells imports from standard input apart)' : '';
  return `${imported}, ${present} were there before${hint}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function refusalOf(failure: unknown): GaterError {
  return failure instanceof LineError ? failure.refusal : GaterError.from(failure);
}

/** The limits that a gateway tells in `hello`; one of an earlier version does not. */
function limitsOf(hello: object): { readonly messageBytes?: number; readonly frameBytes?: number } {
  return (
    (hello as { readonly limits?: { readonly messageBytes?: number; readonly frameBytes?: number } })
      .limits ?? {}
  );
}
