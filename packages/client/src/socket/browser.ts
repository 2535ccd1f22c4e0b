import { onAbort } from '@esdb-gater/primitives';
import { GaterError } from '@esdb-gater/types';
import { Inbox, type OpenedSocket, type OpenSocketOptions } from './socket.ts';

/**
 * Opens the platform's WebSocket. It cannot send headers and does not report pings, so tokens are sent by
 * `authenticate`.
 */
export function openSocket(url: string, options: OpenSocketOptions): Promise<OpenedSocket> {
  const { signal, protocol } = options;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = new WebSocket(url, [protocol]);
    const inbox = new Inbox();
    const stopListening = onAbort(signal, (reason) => {
      reject(reason);
      socket.close();
    });
    socket.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') inbox.message(data);
      else socket.close(4000, 'a binary frame');
    });
    socket.addEventListener('close', ({ code, reason }) => {
      stopListening();
      // The platform does not say why a connection could not be opened.
      reject(new GaterError('unavailable', `no connection (${code})`));
      inbox.closed(code, reason);
    });
    socket.addEventListener('open', () => {
      stopListening();
      resolve({
        transport: {
          send: (text) => {
            if (socket.readyState === WebSocket.OPEN) socket.send(text);
          },
          close: (code, reason) => {
            const sendable = code === 1000 || (code >= 3000 && code <= 4999);
            socket.close(sendable ? code : 1000, sendable ? reason.slice(0, 40) : '');
          },
          receive: (handlers) => inbox.receive(handlers),
        },
        protocol: socket.protocol,
        authorized: false,
      });
    });
  });
}
