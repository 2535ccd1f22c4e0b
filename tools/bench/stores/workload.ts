/** The operations of both stores. */
export const EVENT_DATA_BYTES = 200;
export const STREAM_EVENTS = 10_000;
export const PAGE = 1_000;

/** A JSON object of about 200 bytes. */
export function eventData(
  writer: number,
  version: number,
): { readonly writer: number; readonly version: number; readonly text: string } {
  const head = JSON.stringify({ writer, version, text: '' }).length;
  return { writer, version, text: 'x'.repeat(EVENT_DATA_BYTES - head) };
}

export interface AppendFigures {
  readonly appendsPerSecond: number;
  /** 99th percentile of the event loop's delay while the writers append. */
  readonly loopP99Ms: number;
}
