import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { invalidArgument, type Notice, type NoticeEncoder, type SubscribeFrom } from '@esdb-gater/types';

/** Between two comments that keep proxies from closing a quiet stream. */
export const COMMENT_EVERY_MS = 15_000;

const COMMENT = ':\n\n';

/**
 * Makes the server-sent event of a notice (HTML Living Standard, section 9.2.6). A message has its position as its
 * id, so that a browser resumes after it by itself.
 */
export const sseEncoder: NoticeEncoder = Object.freeze({
  encode({ method, params }: Notice): Uint8Array {
    // JSON has no line breaks of its own, so the data is always one line; positions are made of one line, too.
    const id = method === 'dropped' ? '' : `id: ${params.position}\n`;
    return Buffer.from(`${id}event: ${method}\ndata: ${JSON.stringify(params)}\n\n`, 'utf8');
  },
});

/**
 * Where a stream begins: `latest`, `earliest`, `position:<position>` or `time:<RFC 3339>`; the position of a
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
    `from is ${JSON.stringify(from.slice(0, 64))}; expected latest, earliest, position:<position> or time:<RFC 3339>`,
  );
}

/** Begins the answer. */
export function beginStream(response: ServerResponse, headers: Readonly<OutgoingHttpHeaders>): void {
  response.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // nginx would otherwise hold events back.
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  });
  response.write(COMMENT);
}

export function writeComment(response: ServerResponse): void {
  response.write(COMMENT);
}
