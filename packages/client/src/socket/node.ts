import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { onAbort } from '@esdb-gater/primitives';
import { GaterError, type Timer, type Transport } from '@esdb-gater/types';
import { WebSocket } from 'ws';
import { Inbox, type OpenedSocket, type OpenSocketOptions } from './socket.ts';

/** How much of the response to a refused upgrade is read. */
const REFUSAL_BYTES = 16_384;

/** Collects everything sent in one turn of the event loop into one write, so that a hundred calls cost one system call. */
function gatherWrites(raw: Socket | undefined): () => void {
  let gathering = false;
  return () => {
    if (gathering || raw === undefined) return;
    gathering = true;
    raw.cork();
    setImmediate(() => {
      gathering = false;
      raw.uncork();
    });
  };
}

function transportOf(socket: WebSocket, raw: Socket | undefined, inbox: Inbox): Transport {
  const gather = gatherWrites(raw);
  return {
    send: (text) => {
      if (socket.readyState !== WebSocket.OPEN) return;
      gather();
      socket.send(text);
    },
    close: (code, reason) => {
      // RFC 6455 section 7.4.1 forbids sending other codes.
      const sendable = code === 1000 || (code >= 3000 && code <= 4999);
      socket.close(sendable ? code : 1000, sendable ? reason.slice(0, 40) : '');
    },
    receive: (handlers) => inbox.receive(handlers),
  };
}

/** Terminates a connection that has been silent for too long. The gateway pings every 25 seconds. */
function watchSilence(socket: WebSocket, { clock, silenceMs }: OpenSocketOptions): void {
  let heard = clock.monotonic();
  let timer: Timer;
  const note = (): void => {
    heard = clock.monotonic();
  };
  const check = (): void => {
    const left = heard + silenceMs - clock.monotonic();
    if (left <= 0) socket.terminate();
    else timer = clock.setTimer(check, left, { unref: true });
  };
  timer = clock.setTimer(check, silenceMs, { unref: true });
  socket.on('message', note).on('ping', note).on('pong', note);
  socket.once('close', () => timer.cancel());
}

async function refusalOf(response: IncomingMessage): Promise<GaterError> {
  const { statusCode = 0 } = response;
  let text = '';
  try {
    response.setEncoding('utf8');
    for await (const chunk of response) {
      text += chunk;
      if (text.length > REFUSAL_BYTES) break;
    }
  } catch {
    // The status is enough.
  }
  try {
    const problem = JSON.parse(text) as unknown;
    if (typeof problem === 'object' && problem !== null && 'code' in problem) {
      const { type: _, title: __, status: ___, detail, ...data } = problem as Record<string, unknown>;
      const error = GaterError.fromData(typeof detail === 'string' ? detail : `status ${statusCode}`, data);
      if (error.code !== 'internal') return error;
    }
  } catch {
    // The body is not a problem document.
  }
  const message = `the gateway answered the upgrade with status ${statusCode}`;
  if (statusCode === 401) return new GaterError('unauthorized', message);
  if (statusCode === 403) {
    return new GaterError('unauthorized', message, { details: { reason: 'insufficient_permissions' } });
  }
  if (statusCode === 400 || statusCode === 404 || statusCode === 426)
    return new GaterError('not_supported', message);
  return new GaterError('unavailable', message, { details: { status: statusCode } });
}

/** Opens a WebSocket with `ws`, which can send headers and reports pings. */
export function openSocket(url: string, options: OpenSocketOptions): Promise<OpenedSocket> {
  const { signal, protocol, token } = options;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = new WebSocket(url, [protocol], {
      perMessageDeflate: false,
      maxPayload: options.frameBytes,
      ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
    });
    const inbox = new Inbox();
    let raw: Socket | undefined;
    const stopListening = onAbort(signal, (reason) => {
      reject(reason);
      socket.terminate();
    });
    socket.on('message', (data, binary) => {
      if (binary) socket.close(1003);
      else inbox.message(data.toString());
    });
    socket.on('close', (code, reason) => {
      stopListening();
      inbox.closed(code, reason.toString());
    });
    socket.on('error', (error) => {
      // On an open connection a `close` event follows, which is enough.
      reject(new GaterError('unavailable', `no connection to ${hostOf(url)}`, { cause: error }));
    });
    socket.once('unexpected-response', (_request, response) => {
      void refusalOf(response).then((error) => {
        reject(error);
        socket.terminate();
      });
    });
    socket.once('upgrade', (response) => {
      raw = response.socket;
    });
    socket.once('open', () => {
      stopListening();
      watchSilence(socket, options);
      resolve({
        transport: transportOf(socket, raw, inbox),
        protocol: socket.protocol,
        authorized: token !== undefined,
      });
    });
  });
}

/** Returns the part of a URL that may appear in an error message. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'the gateway';
}
