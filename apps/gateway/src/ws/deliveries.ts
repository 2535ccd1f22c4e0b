import { concatBytes } from '@esdb-gater/channels';
import { encodeNotification } from '@esdb-gater/protocol';
import type { Delivery, Notice, NoticeEncoder } from '@esdb-gater/types';
import { textFrame } from './sender.ts';

/** Makes the WebSocket frame of a notice. One object for all connections, so that each frame is made once. */
export const messageEncoder: NoticeEncoder = Object.freeze({
  encode: ({ method, params }: Notice): Uint8Array => textFrame(encodeNotification(method, params)),
});

/** The frames of deliveries that leave together; connections that get the same ones share the bytes. */
export function joinDeliveries(deliveries: readonly Delivery[]): Uint8Array {
  return concatBytes(deliveries, messageEncoder);
}
