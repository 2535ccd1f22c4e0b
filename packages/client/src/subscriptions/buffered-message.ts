import type { ChannelMessage } from '@esdb-gater/types';

/** Longer messages are buffered as JSON text: parsed values can take thirty times as much memory. */
const PACK_FROM_BYTES = 4_096;

/** A message in the buffer of a subscription. */
export interface BufferedMessage {
  readonly position: string;
  /** The length of its JSON text, which counts towards the bound of the buffer. */
  readonly bytes: number;
  readonly content: ChannelMessage | string;
}

/**
 * Prepares a message for the buffer.
 *
 * @param units the length of its frame, if it came in one
 * @param isAwaited true when a reader takes it at once, so that it is never in the buffer
 */
export function bufferMessage(
  message: ChannelMessage,
  units: number | undefined,
  isAwaited: boolean,
): BufferedMessage {
  const { position } = message;
  if (isAwaited) return { position, bytes: units ?? 0, content: message };
  if (units !== undefined && units < PACK_FROM_BYTES) return { position, bytes: units, content: message };
  const text = JSON.stringify(message);
  return { position, bytes: text.length, content: text.length < PACK_FROM_BYTES ? message : text };
}

/** Returns the message that was buffered. */
export function unpackMessage({ content }: BufferedMessage): ChannelMessage {
  return typeof content === 'string' ? (JSON.parse(content) as ChannelMessage) : content;
}
