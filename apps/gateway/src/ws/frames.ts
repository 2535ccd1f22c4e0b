import { concatBytes } from '@esdb-gater/channels';
import { encodeNotification } from '@esdb-gater/protocol';
import type { Delivery, Notice, NoticeEncoder } from '@esdb-gater/types';
import * as ws from 'ws';

/** The options of `Sender.frame`. A server never masks; a shared frame is read only. */
interface FrameOptions {
  readonly fin: boolean;
  readonly opcode: number;
  readonly rsv1: boolean;
  readonly mask: boolean;
  readonly readOnly: boolean;
}

/** `ws` exports this class, but its types do not declare it. */
const { Sender } = ws as unknown as {
  readonly Sender: { frame(data: Uint8Array, options: FrameOptions): Uint8Array[] };
};

const TEXT: FrameOptions = Object.freeze({ fin: true, opcode: 1, rsv1: false, mask: false, readOnly: true });

/** Returns the text frame, header and payload, that carries `text` from a server (RFC 6455 section 5.2). */
export function textFrame(text: string): Uint8Array {
  const parts = Sender.frame(Buffer.from(text, 'utf8'), TEXT);
  return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
}

/** Encodes notices as WebSocket frames. All connections share this object, so that each frame is built once. */
export const messageEncoder: NoticeEncoder = Object.freeze({
  encode: (notice: Notice): Uint8Array => {
    const trace = notice.method === 'message' ? notice.trace : undefined;
    return textFrame(encodeNotification(notice.method, notice.params, trace));
  },
});

/** Joins the frames of deliveries. Connections that get the same deliveries share the bytes. */
export function joinDeliveries(deliveries: readonly Delivery[]): Uint8Array {
  return concatBytes(deliveries, messageEncoder);
}
