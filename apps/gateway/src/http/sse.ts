import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import {
  type ChannelName,
  invalidArgument,
  type Notice,
  type NoticeEncoder,
  type SubscribeFrom,
  type SubscribeResult,
} from '@esdb-gater/types';

/** The time between two comments, which keep proxies from closing a quiet stream. */
export const COMMENT_EVERY_MS = 15_000;

const COMMENT = ':\n\n';

/**
 * Encodes a notice as a server-sent event (HTML Living Standard, section 9.2.6). A message has its position as its id,
 * so that a browser resumes after it by itself.
 */
export const sseEncoder: NoticeEncoder = Object.freeze({
  encode({ method, params }: Notice): Uint8Array {
    return serverSentEvent(method, params, method === 'dropped' ? undefined : params.position);
  },
});

/** What a stream is subscribed to. */
export interface SseSubscription {
  readonly channel: ChannelName;
  readonly topic: string;
}

/**
 * Encodes the first event of every stream. Its id is the position where the stream begins, so that a stream that is cut
 * before its first message resumes without loss.
 */
export function subscribedEvent(
  { channel, topic }: SseSubscription,
  { position, lost }: SubscribeResult,
): Uint8Array {
  const data = lost === true ? { channel, topic, position, lost } : { channel, topic, position };
  return serverSentEvent('subscribed', data, position);
}

/** JSON and positions contain no line breaks, so each field is one line. */
function serverSentEvent(event: string, data: object, id: string | undefined): Uint8Array {
  const idLine = id === undefined ? '' : `id: ${id}\n`;
  return Buffer.from(`${idLine}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`, 'utf8');
}

/**
 * Returns where a stream begins: `latest`, `earliest`, `position:<position>` or `time:<RFC 3339>`; the position of a
 * `Last-Event-ID` wins.
 *
 * @throws `invalid_argument` (reason `from`)
 */
export function sseFrom(from: string | undefined, lastEventId: string | undefined): SubscribeFrom {
  if (lastEventId !== undefined && lastEventId !== '') return { position: lastEventId };
  if (from === undefined || from === 'latest') return 'latest';
  if (from === 'earliest') return 'earliest';
  if (from.startsWith('position:')) return { position: from.slice('position:'.length) };
  if (from.startsWith('time:')) return { time: from.slice('time:'.length) };
  throw invalidArgument(
    'from',
    `from must be latest, earliest, position:<position> or time:<RFC 3339>, got ${JSON.stringify(from.slice(0, 64))}`,
  );
}

/** Writes the head of the answer and the first event. */
export function beginStream(
  response: ServerResponse,
  headers: Readonly<OutgoingHttpHeaders>,
  first: Uint8Array,
): void {
  response.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
    // `no-transform`, as a proxy that compresses would hold events back.
    'cache-control': 'no-store, no-transform',
    // nginx would otherwise hold events back.
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  });
  response.write(first);
}

/** Writes a comment, which readers ignore. */
export function writeComment(response: ServerResponse): void {
  response.write(COMMENT);
}
