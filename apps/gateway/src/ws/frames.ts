import { concatBytes } from '@esdb-gater/channels';
import { encodeNotification } from '@esdb-gater/protocol';
import {
  type ChannelMessage,
  type Delivery,
  type Notice,
  type NoticeEncoder,
  RawJson,
} from '@esdb-gater/types';

/** FIN and opcode 1 (text). A server never masks. */
const TEXT = 0x81;

/** Longest payloads whose length fits the header of two bytes, and that of four (RFC 6455 section 5.2). */
const SHORT_BYTES = 125;
const MIDDLE_BYTES = 65_535;

/** Returns the length of a frame whose payload has `payloadBytes`. */
export function frameLength(payloadBytes: number): number {
  if (payloadBytes <= SHORT_BYTES) return payloadBytes + 2;
  return payloadBytes + (payloadBytes <= MIDDLE_BYTES ? 4 : 10);
}

/**
 * Writes the text frame, header and payload, that carries `text` from a server, and returns the place behind it.
 *
 * @param payloadBytes the length of the text in UTF-8
 */
export function writeTextFrame(bytes: Buffer, at: number, text: string, payloadBytes: number): number {
  let place = at;
  bytes[place++] = TEXT;
  if (payloadBytes <= SHORT_BYTES) bytes[place++] = payloadBytes;
  else if (payloadBytes <= MIDDLE_BYTES) {
    bytes[place++] = 126;
    place = bytes.writeUInt16BE(payloadBytes, place);
  } else {
    bytes[place++] = 127;
    place = bytes.writeBigUInt64BE(BigInt(payloadBytes), place);
  }
  return place + bytes.write(text, place, 'utf8');
}

/** Returns the text frame that carries `text` from a server: encoded into its place, without another copy. */
export function textFrame(text: string): Uint8Array {
  const payloadBytes = Buffer.byteLength(text, 'utf8');
  const bytes = Buffer.allocUnsafe(frameLength(payloadBytes));
  writeTextFrame(bytes, 0, text, payloadBytes);
  return bytes;
}

/** Encodes notices as WebSocket frames. All connections share this object, so that each frame is built once. */
export const messageEncoder: NoticeEncoder = Object.freeze({
  encode: (notice: Notice): Uint8Array => {
    const { method, params } = notice;
    if (method !== 'message') return textFrame(encodeNotification(method, params));
    const { messageText, trace } = notice;
    const content = messageText === undefined ? notice.params : withMessage(notice.params, messageText);
    return textFrame(encodeNotification(method, content, trace));
  },
});

/** Returns the parameters of a message with the JSON text that its broker has made of it already. */
function withMessage(params: Omit<ChannelMessage, 'message'>, messageText: string): RawJson {
  const { channel, topic, id, time, position, replayFor } = params;
  const replay = replayFor === undefined ? '' : `,"replayFor":${JSON.stringify(replayFor)}`;
  return new RawJson(
    `{"channel":"${channel}","topic":${JSON.stringify(topic)},"id":${JSON.stringify(id)}` +
      `,"time":${JSON.stringify(time)},"position":${JSON.stringify(position)},"message":${messageText}${replay}}`,
  );
}

/** Joins the frames of deliveries. Connections that get the same deliveries share the bytes. */
export function joinDeliveries(deliveries: readonly Delivery[]): Uint8Array {
  return concatBytes(deliveries, messageEncoder);
}
