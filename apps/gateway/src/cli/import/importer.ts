import type { AppendEventsParams, AppendResult } from '@esdb-gater/types';
import { GaterError, LIMITS } from '@esdb-gater/types';
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

/** JSON characters of one append; well under a frame, whatever the escapes. */
const APPEND_UNITS = LIMITS.frameBytes / 4;

/**
 * Appends events window by window: within a window each stream's events are one append, in their order, and all
 * streams at once, so that one flush serves many. The next window begins when all of the last are durable, so
 * an import that ends early has written whole windows and, of the last, whole appends; run again, it goes on.
 */
export function createImporter(storeId: string, append: Append) {
  const streams = new Set<string>();
  let written = 0;
  let present = 0;

  const appendOne = async (streamId: string, imported: readonly ImportedEvent[]): Promise<void> => {
    const result = await append({ storeId, streamId, events: imported.map(({ event }) => event) });
    if (result.duplicate) present += imported.length;
    else written += imported.length;
  };

  const appendGroup = async (streamId: string, imported: readonly ImportedEvent[]): Promise<void> => {
    try {
      await appendOne(streamId, imported);
    } catch (error) {
      const first = imported[0] as ImportedEvent;
      if (imported.length === 1) throw failedAt(first, error);
      if (!GaterError.is(error) || error.details['reason'] !== 'id_conflict') throw failedAt(first, error);
      // Some were written by an earlier run that cut the windows elsewhere: one by one, each is old or new.
      for (const one of imported) await appendGroup(streamId, [one]);
    }
  };

  return {
    async window(events: readonly ImportedEvent[]): Promise<void> {
      const groups = Map.groupBy(events, ({ streamId }) => streamId);
      const results = await Promise.allSettled(
        [...groups].map(async ([streamId, imported]) => {
          streams.add(streamId);
          for (const part of partsOf(imported)) await appendGroup(streamId, part);
        }),
      );
      const failures = results
        .filter((result) => result.status === 'rejected')
        .map(({ reason }) => reason as unknown);
      if (failures.length > 0) throw earliest(failures);
    },
    counts: (): ImportCounts => ({ written, present, streams: streams.size }),
  };
}

/** Cuts a stream's events so that each part fits one append. */
export function partsOf(imported: readonly ImportedEvent[]): ImportedEvent[][] {
  const parts: ImportedEvent[][] = [];
  let part: ImportedEvent[] = [];
  let units = 0;
  for (const one of imported) {
    const size = JSON.stringify(one.event).length;
    if (part.length >= LIMITS.eventsPerAppend || (part.length > 0 && units + size > APPEND_UNITS)) {
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

/** An append that was refused, by the line where its events begin. */
export class ImportError extends Error {
  readonly line: number;
  readonly refusal: GaterError;

  constructor(line: number, refusal: GaterError) {
    super(`line ${line}: ${refusal.message}`);
    this.line = line;
    this.refusal = refusal;
  }
}

function failedAt(imported: ImportedEvent, error: unknown): ImportError {
  return error instanceof ImportError ? error : new ImportError(imported.line, GaterError.from(error));
}

function earliest(failures: readonly unknown[]): unknown {
  const known = failures.filter((failure) => failure instanceof ImportError || failure instanceof LineError);
  return known.length === 0 ? failures[0] : known.reduce((a, b) => (lineOf(a) <= lineOf(b) ? a : b));
}

function lineOf(failure: ImportError | LineError): number {
  return failure instanceof ImportError ? failure.line : failure.number;
}
