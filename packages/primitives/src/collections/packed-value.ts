/** Longer values are buffered as JSON text: parsed values can take thirty times as much memory. */
const PACK_FROM_BYTES = 4_096;

/** A value in the buffer of a reader. */
export interface PackedValue<Value extends object> {
  /** The length of its JSON text, which counts towards the bound of the buffer. */
  readonly bytes: number;
  readonly content: Value | string;
}

/**
 * Prepares a value for the buffer.
 *
 * @param units the length of its frame, if it came in one
 * @param isAwaited true when a reader takes it at once, so that it is never in the buffer
 */
export function packValue<Value extends object>(
  value: Value,
  units: number | undefined,
  isAwaited: boolean,
): PackedValue<Value> {
  if (isAwaited) return { bytes: units ?? 0, content: value };
  if (units !== undefined && units < PACK_FROM_BYTES) return { bytes: units, content: value };
  const text = JSON.stringify(value);
  return { bytes: text.length, content: text.length < PACK_FROM_BYTES ? value : text };
}

/** Returns the value that was packed. */
export function unpackValue<Value extends object>({ content }: PackedValue<Value>): Value {
  return typeof content === 'string' ? (JSON.parse(content) as Value) : content;
}
