import { type PackedValue, packValue } from '@esdb-gater/primitives';
import type { ChannelMessage } from '@esdb-gater/types';

/** A message in the buffer of a subscription. */
export interface BufferedMessage extends PackedValue<ChannelMessage> {
  readonly position: string;
}

/** Prepares a message for the buffer, as `packValue` does. */
export function bufferMessage(
  message: ChannelMessage,
  units: number | undefined,
  isAwaited: boolean,
): BufferedMessage {
  return { position: message.position, ...packValue(message, units, isAwaited) };
}
