import { eventCore, type StoredEvent } from '@esdb-gater/event-store';
import { checksum } from './checksum.ts';
import { damaged } from './sqlite-errors.ts';

/** The columns of an event, in the order of `EventRow`. */
export const EVENT_COLUMNS = 'position, stream, version, id, type, data, metadata, tags, epoch_us, checksum';

/** An event as an array of its columns: half the cost of an object per row. */
export type EventRow = readonly [
  position: number,
  stream: number,
  version: number,
  id: string,
  type: string,
  data: string,
  metadata: string,
  tags: string,
  epochUs: number,
  checksum: number,
];

/** The checksum covers every member that a reader will see, the stream's name included. */
export function eventChecksum(event: StoredEvent): number {
  return checksum(eventCore(event));
}

/**
 * The core of the `RecordedEvent` in a row, see `eventCore`.
 *
 * @throws `internal` when the row does not say what was written
 */
export function readEventRow(row: EventRow, streamId: string, file: string): string {
  const [position, , version, id, type, data, metadata, tags, epochUs, expected] = row;
  const core = eventCore({ position, streamId, version, id, type, data, metadata, tags, epochUs });
  if (checksum(core) === expected) return core;
  throw damaged(file, `the event at position ${position} does not fit its checksum`);
}
