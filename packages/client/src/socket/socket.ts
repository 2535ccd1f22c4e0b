import type { Clock, Transport, TransportHandlers } from '@esdb-gater/types';

export interface OpenSocketOptions {
  /** The subprotocol that is offered. */
  readonly protocol: string;
  /** A token for the header `Authorization`, where the platform can send one. */
  readonly token?: string;
  /** Longest message that is taken. */
  readonly frameBytes: number;
  /** After so long without a sign of life the connection counts as broken, where the platform can tell. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

export interface OpenedSocket {
  readonly transport: Transport;
  /** The subprotocol that was chosen; empty for none. */
  readonly protocol: string;
  /** True when the token went with the request. */
  readonly authorized: boolean;
}

/**
 * Opens a WebSocket.
 *
 * @throws `unavailable`, `unauthorized`, `not_supported` by what the gateway answered; the signal's reason
 */
export type OpenSocket = (url: string, options: OpenSocketOptions) => Promise<OpenedSocket>;

type Received = { readonly text: string } | { readonly code: number; readonly reason: string };

/** The receiving half of a transport: keeps what comes before somebody receives, and tells the end once. */
export class Inbox {
  #handlers: TransportHandlers | undefined;
  #waiting: Received[] = [];
  #ended = false;

  get ended(): boolean {
    return this.#ended;
  }

  message(text: string): void {
    if (this.#ended) return;
    if (this.#handlers === undefined) this.#waiting.push({ text });
    else this.#handlers.message(text);
  }

  closed(code: number, reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#handlers === undefined) this.#waiting.push({ code, reason });
    else this.#handlers.closed(code, reason);
  }

  receive(handlers: TransportHandlers): void {
    this.#handlers = handlers;
    for (const one of this.#waiting) {
      if ('text' in one) handlers.message(one.text);
      else handlers.closed(one.code, one.reason);
    }
    this.#waiting = [];
  }
}
