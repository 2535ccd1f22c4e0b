import type { Socket } from 'node:net';
import { type Problem, plainProblem } from './problem.ts';

/** Answers a request that Node could not parse, or that took too long, and closes its connection. */
export function answerClientError(error: Error, socket: Socket): void {
  const { code } = error as NodeJS.ErrnoException;
  const begun = (socket as Socket & { readonly _httpMessage?: { readonly headersSent: boolean } })
    ._httpMessage;
  if (code === 'ECONNRESET' || !socket.writable || begun?.headersSent === true) {
    socket.destroy();
    return;
  }
  const { status, headers, body } = problemFor(code);
  const lines = Object.entries({
    ...headers,
    connection: 'close',
    'content-length': String(Buffer.byteLength(body)),
  }).map(([name, value]) => `${name}: ${value}`);
  const { title } = JSON.parse(body) as { readonly title: string };
  socket.write(`HTTP/1.1 ${status} ${title}\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}

function problemFor(code: string | undefined): Problem {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return plainProblem(408, 'Request Timeout', 'the request did not arrive in time');
    case 'HPE_HEADER_OVERFLOW':
      return plainProblem(431, 'Request Header Fields Too Large', 'the request headers may have 32 KiB');
    default:
      return plainProblem(400, 'Bad Request', 'the request is not valid HTTP');
  }
}
