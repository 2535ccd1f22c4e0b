import type { Socket } from 'node:net';
import { type Problem, plainProblem, rawResponse } from './problem.ts';

/** Answers a request that Node could not parse, or that took too long, and closes its connection. */
export function answerClientError(error: Error, socket: Socket): void {
  const { code } = error as NodeJS.ErrnoException;
  const begun = (socket as Socket & { readonly _httpMessage?: { readonly headersSent: boolean } })
    ._httpMessage;
  if (code === 'ECONNRESET' || !socket.writable || begun?.headersSent === true) {
    socket.destroy();
    return;
  }
  socket.write(rawResponse(problemFor(code)));
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
