import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { onAbort } from '@esdb-gater/primitives';
import { GaterError, type Timer, type Transport } from '@esdb-gater/types';
import { WebSocket } from 'ws';
import { connectError, foreignResponse } from './connect-error.ts';
import { Inbox, type OpenedSocket, type OpenSocketOptions } from './socket.ts';

/** How long the other side may take to answer a close frame, before the connection is cut. */
const CLOSE_TIMEOUT_MS = 1_000;

/** The `type` of the problem documents of a gateway begins like this. */
const GATEWAY_PROBLEM = 'urn:esdb-gater:error:';

/** How much of the response to a refused upgrade is read. */
const REFUSAL_BYTES = 16_384;

/**
 * Collects what is sent in one turn of the event loop, up to `maxUnits`, into one write, so that a hundred calls cost one
 * system call.
 *
 * @returns a function to call before each send, with the length of its text
 */
function gatherWrites(raw: Socket | undefined, maxUnits: number): (units: number) => void {
  let gathering = false;
  let gathered = 0;
  // The sockets of some platforms (Bun) cannot hold writes back.
  if (typeof raw?.cork !== 'function' || typeof raw.uncork !== 'function') return () => {};
  return (units) => {
    if (gathering && gathered >= maxUnits) {
      gathered = 0;
      raw.uncork();
      raw.cork();
    }
    gathered += units;
    if (gathering) return;
    gathering = true;
    raw.cork();
    setImmediate(() => {
      gathering = false;
      gathered = 0;
      raw.uncork();
    });
  };
}

function transportOf(
  socket: WebSocket,
  raw: Socket | undefined,
  inbox: Inbox,
  { clock, gatherUnits = Number.POSITIVE_INFINITY }: OpenSocketOptions,
): Transport {
  const gather = gatherWrites(raw, gatherUnits);
  return {
    send: (text) => {
      if (socket.readyState !== WebSocket.OPEN) return;
      gather(text.length);
      socket.send(text);
    },
    close: (code, reason) => {
      // RFC 6455 section 7.4.1 forbids sending other codes.
      const sendable = code === 1000 || (code >= 3000 && code <= 4999);
      socket.close(sendable ? code : 1000, sendable ? reason.slice(0, 40) : '');
      const timer = clock.setTimer(() => socket.terminate(), CLOSE_TIMEOUT_MS, { unref: true });
      socket.once('close', () => timer.cancel());
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

/**
 * Returns the error for a refused upgrade. Only a gateway's own refusal is final; anything else may be a proxy in
 * front of a gateway that is restarting.
 */
async function refusalOf(response: IncomingMessage): Promise<GaterError> {
  const { statusCode = 0 } = response;
  let text = '';
  try {
    response.setEncoding('utf8');
    for await (const chunk of response) {
      text += chunk;
      if (text.length > REFUSAL_BYTES) break;
    }
    const { type, title: _, status: __, detail, ...data } = JSON.parse(text) as Record<string, unknown>;
    if (typeof type === 'string' && type.startsWith(GATEWAY_PROBLEM)) {
      return GaterError.fromData(typeof detail === 'string' ? detail : `HTTP status ${statusCode}`, data);
    }
  } catch {
    // Not a problem document, or not all of it.
  }
  return foreignResponse(statusCode);
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
      reject(connectError(url, error));
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
        transport: transportOf(socket, raw, inbox, options),
        protocol: socket.protocol,
        authorized: token !== undefined,
        bufferedBytes: () => socket.bufferedAmount,
      });
    });
  });
}

/** Does nothing: Node.js reports pings, so a dead connection is noticed without help. */
export function onWake(_run: () => void): () => void {
  return () => {};
}
