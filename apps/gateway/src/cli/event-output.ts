import type { RecordedEvent } from '@esdb-gater/types';
import { jsonLine, type Output } from './output.ts';
import { eventLine } from './table.ts';

/** Writes events, at most `count`: a line for people at a terminal, else NDJSON. */
export async function writeEvents(
  output: Output,
  events: AsyncIterable<RecordedEvent>,
  count: number,
): Promise<number> {
  let written = 0;
  for await (const event of events) {
    await output.line(output.isForPeople ? eventLine(event, output.columns) : jsonLine(event));
    written += 1;
    if (written >= count) break;
  }
  return written;
}
