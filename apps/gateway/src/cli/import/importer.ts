import { type AppendEventsParams, type AppendResult, GaterError, LIMITS } from '@esdb-gater/types';
import { LineError } from '../lines.ts';
import type { ImportedEvent } from './import-line.ts';

/** The call that the importer makes. */
export type Append = (params: AppendEventsParams) => Promise<AppendResult>;

export interface ImportCounts {
  readonly written: number;
  /** Events that an earlier run had written. */
  readonly present: number;
  readonly streams: number;
}

export interface ImporterOptions {
  readonly storeId: string;
  /** True when a token decides which streams may be written. */
  readonly restricted: boolean;
  /** What a frame may weigh. */
  readonly frameBytes: number;
  /** Ends the import between two appends. */
  readonly signal: AbortSignal;
}

/** Refusals that may concern one event of an append only; others concern the whole append. */
const REFUSALS_OF_ONE_EVENT: ReadonlySet<string> = new Set(['invalid_argument', 'payload_too_large']);

/**
 * Appends events so that what is written is always the beginning of the input: when the gateway refuses a line,
 * everything before it is written and nothing behind it.
 *
 * An append is all or nothing, so a run of lines of one stream is one append, and the refused line is found by halving
 * it. Lines of several streams are appended at once only when none of them can be refused by itself.
 */
export function createImporter(append: Append, options: ImporterOptions) {
  const { storeId, restricted, signal } = options;
  /** JSON characters of one append: well under a frame, whatever the escapes. */
  const appendUnits = Math.min(options.frameBytes, LIMITS.frameBytes) / 4;
  /** Streams that took an event of this import. */
  const streams = new Set<string>();
  let written = 0;
  let present = 0;

  /** An event with an id of its own may meet another one with that id, and a token may not allow a stream. */
  const cannotBeRefused = ({ hasOwnId, streamId }: ImportedEvent): boolean =>
    !hasOwnId && (!restricted || streams.has(streamId));

  /** Returns where the events end that may be appended at once: of one stream, or such as cannot be refused. */
  const endOfWave = (events: readonly ImportedEvent[], start: number): number => {
    let oneStream = true;
    let safe = true;
    for (let end = start; end < events.length; end++) {
      const event = events[end] as ImportedEvent;
      oneStream &&= event.streamId === events[start]?.streamId;
      safe &&= cannotBeRefused(event);
      if (!oneStream && !safe) return end;
    }
    return events.length;
  };

  const appendPart = async (streamId: string, part: readonly ImportedEvent[]): Promise<void> => {
    signal.throwIfAborted();
    try {
      const { duplicate } = await append({ storeId, streamId, events: part.map(({ event }) => event) });
      streams.add(streamId);
      if (duplicate) present += part.length;
      else written += part.length;
    } catch (error) {
      const [first] = part as [ImportedEvent];
      const refusal = GaterError.from(error);
      if (part.length === 1 || !REFUSALS_OF_ONE_EVENT.has(refusal.code)) {
        throw new LineError(first.place, `was not written: ${refusal.message}`, refusal);
      }
      // Some may be there from an earlier run, or one of them is refused.
      const middle = part.length >> 1;
      await appendPart(streamId, part.slice(0, middle));
      await appendPart(streamId, part.slice(middle));
    }
  };

  const writeWave = async (events: readonly ImportedEvent[]): Promise<void> => {
    const groups = Map.groupBy(events, ({ streamId }) => streamId);
    const results = await Promise.allSettled(
      [...groups].map(async ([streamId, imported]) => {
        for (const part of partsOf(imported, appendUnits)) await appendPart(streamId, part);
      }),
    );
    const failures = results
      .filter((result) => result.status === 'rejected')
      .map(({ reason }) => reason as unknown);
    if (failures.length > 0) throw earliest(failures);
  };

  return {
    /** Resolves when all events are durable. @throws LineError; the signal's reason */
    async write(events: readonly ImportedEvent[]): Promise<void> {
      for (let start = 0; start < events.length; ) {
        const end = endOfWave(events, start);
        await writeWave(events.slice(start, end));
        start = end;
      }
    },
    counts: (): ImportCounts => ({ written, present, streams: streams.size }),
  };
}

/** Cuts the events of a stream so that each part fits one append. */
export function partsOf(imported: readonly ImportedEvent[], appendUnits: number): ImportedEvent[][] {
  const parts: ImportedEvent[][] = [];
  let part: ImportedEvent[] = [];
  let units = 0;
  for (const one of imported) {
    const size = JSON.stringify(one.event).length;
    if (part.length >= LIMITS.eventsPerAppend || (part.length > 0 && units + size > appendUnits)) {
      parts.push(part);
      part = [];
      units = 0;
    }
    part.push(one);
    units += size;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

function earliest(failures: readonly unknown[]): unknown {
  const ofLines = failures.filter((failure) => failure instanceof LineError);
  return ofLines.length === 0 ? failures[0] : ofLines.reduce((a, b) => (a.line <= b.line ? a : b));
}
