import type { ChannelMessage, RecordedEvent } from '@esdb-gater/types';
import { jsonLine, type Output, plain } from './output.ts';

/** Formats rows as columns that are as wide as their widest cell. The last column is not padded. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const lines = [head, ...rows].map((row) => row.map(plain));
  const widths = head.map((_, column) => Math.max(...lines.map((row) => (row[column] ?? '').length)));
  return lines.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** Shortens a text to a number of characters, and says so by an ellipsis. */
export function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, Math.max(0, length - 1))}…`;
}

/** Formats an ISO 8601 time for people, in UTC: `2026-01-31 12:00:00Z`. */
export function readableTime(iso: string): string {
  return iso.replace('T', ' ').replace(/\.\d+Z$/, 'Z');
}

const STREAM_COLUMNS = 24;
const TYPE_COLUMNS = 20;

/** Formats an event as one line of a list whose end is not known, so that the widths of its columns are fixed. */
export function eventLine(event: RecordedEvent, columns: number): string {
  const { position, timestamp, streamId, version, type } = event;
  const at = `${streamId}@${version}`;
  const cells = [
    String(position).padStart(8),
    readableTime(timestamp),
    at.padEnd(STREAM_COLUMNS),
    type.padEnd(TYPE_COLUMNS),
    contentOf(event),
  ];
  return shorten(plain(cells.join('  ')), Math.max(columns - 1, 60));
}

const TOPIC_COLUMNS = 40;

/** Formats a message as one line of a list whose end is not known. Of a fed event it shows the data. */
export function messageLine({ time, topic, message }: ChannelMessage, columns: number): string {
  const content = isFedEvent(message) ? contentOf(message) : JSON.stringify(message);
  const cells = [readableTime(time), topic.padEnd(TOPIC_COLUMNS), content];
  return shorten(plain(cells.join('  ')), Math.max(columns - 1, 60));
}

function isFedEvent(message: unknown): message is Record<string, unknown> {
  if (typeof message !== 'object' || message === null) return false;
  return ['storeId', 'streamId', 'version', 'position', 'type'].every((name) => Object.hasOwn(message, name));
}

/** An event may have bytes instead of data. */
function contentOf(event: { readonly data?: unknown; readonly contentType?: unknown }): string {
  return event.data === undefined ? `(bytes, ${String(event.contentType)})` : JSON.stringify(event.data);
}

/** Writes a list: as a table at a terminal, else one JSON value per line. */
export async function writeList<Item extends object>(
  output: Output,
  items: readonly Item[],
  {
    head,
    row,
    none,
  }: {
    readonly head: readonly string[];
    readonly row: (item: Item) => readonly string[];
    /** What a person is told of an empty list. */
    readonly none: string;
  },
): Promise<void> {
  if (!output.isForPeople) {
    for (const item of items) await output.line(jsonLine(item));
    return;
  }
  const lines = items.length === 0 ? [plain(none)] : formatTable(head, items.map(row));
  for (const line of lines) await output.line(line);
}
