import { onAbort } from '@esdb-gater/primitives';
import { GaterError } from '@esdb-gater/types';
import { Inbox, type OpenedSocket, type OpenSocketOptions } from './socket.ts';

/** What is used of a page; workers have no document, other platforms none of it. */
interface Page extends Partial<Pick<EventTarget, 'addEventListener' | 'removeEventListener'>> {
  readonly location?: { readonly origin: string };
  readonly document?: EventTarget & { readonly visibilityState: string };
}

const page: Page = globalThis as Page;

/**
 * Opens the platform's WebSocket. It cannot send headers and does not report pings, so tokens are sent by
 * `authenticate`, and the client probes a silent connection.
 */
export function openSocket(url: string, options: OpenSocketOptions): Promise<OpenedSocket> {
  const { signal, protocol, clock } = options;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = construct(url, protocol);
    const inbox = new Inbox();
    let heardAt = clock.monotonic();
    const stopListening = onAbort(signal, (reason) => {
      reject(reason);
      socket.close();
    });
    socket.addEventListener('message', ({ data }) => {
      heardAt = clock.monotonic();
      if (typeof data === 'string') inbox.message(data);
      else socket.close(4000, 'a binary frame');
    });
    socket.addEventListener('close', ({ code, reason }) => {
      stopListening();
      reject(new GaterError('unavailable', refusedMessage(code)));
      inbox.closed(code, reason);
    });
    socket.addEventListener('open', () => {
      stopListening();
      heardAt = clock.monotonic();
      resolve({
        transport: {
          send: (text) => {
            if (socket.readyState === WebSocket.OPEN) socket.send(text);
          },
          close: (code, reason) => {
            const sendable = code === 1000 || (code >= 3000 && code <= 4999);
            socket.close(sendable ? code : 1000, sendable ? reason.slice(0, 40) : '');
            // The platform may wait long for the answer of a path that is dead.
            inbox.closed(code, reason);
          },
          receive: (handlers) => inbox.receive(handlers),
        },
        protocol: socket.protocol,
        authorized: false,
        heardAt: () => heardAt,
      });
    });
  });
}

/** @throws `unavailable`, reason `insecure_url`, when the platform does not allow a connection to such a URL */
function construct(url: string, protocol: string): WebSocket {
  try {
    return new WebSocket(url, [protocol]);
  } catch (cause) {
    throw new GaterError('unavailable', `the browser does not allow the connection: ${String(cause)}`, {
      details: { reason: 'insecure_url' },
      cause,
    });
  }
}

/** The platform hides why a connection could not be opened, so the message lists what it may be. */
function refusedMessage(code: number): string {
  const origin = page.location?.origin ?? 'of this program';
  return (
    `the WebSocket closed with code ${code} before it was open; the gateway is unreachable, or its certificate is ` +
    `not trusted, or \`http.allowedOrigins\` does not contain the origin ${origin}`
  );
}

/**
 * Calls `run` when connections may have died unnoticed, or may work again: the network is back, or the page was
 * frozen or hidden. Returns a function that stops this.
 */
export function onWake(run: () => void): () => void {
  const onVisible = (): void => {
    if (page.document?.visibilityState === 'visible') run();
  };
  for (const event of ['online', 'pageshow']) page.addEventListener?.(event, run);
  page.document?.addEventListener('visibilitychange', onVisible);
  return () => {
    for (const event of ['online', 'pageshow']) page.removeEventListener?.(event, run);
    page.document?.removeEventListener('visibilitychange', onVisible);
  };
}
