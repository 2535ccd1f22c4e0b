import type { Clock, Transport, TransportHandlers } from '@esdb-gater/types';

export interface OpenSocketOptions {
  /** The subprotocol to offer. */
  readonly protocol: string;
  /** A token for the `Authorization` header, on platforms that can send one. */
  readonly token?: string;
  /** The largest message to accept. */
  readonly frameBytes: number;
  /** How long a connection may be silent before it counts as broken, on platforms that report pings. */
  readonly silenceMs: number;
  /**
   * Writes of one turn of the event loop are sent together up to so many UTF-16 units, where the platform allows that: with
   * a bound the other side begins while this one goes on. @default all of a turn
   */
  readonly gatherUnits?: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

export interface OpenedSocket {
  readonly transport: Transport;
  /** The subprotocol that the gateway chose; empty for none. */
  readonly protocol: string;
  /** True when the request carried the token. */
  readonly authorized: boolean;
  /** Returns the bytes that are not sent yet, on platforms that tell. */
  readonly bufferedBytes?: () => number;
  /**
   * Returns when the last message arrived, by the monotonic clock. Present where the platform does not report pings:
   * the client then probes a connection that is silent.
   */
  readonly heardAt?: () => number;
}

/**
 * Opens a WebSocket.
 *
 * @throws `unavailable`, `unauthorized` or `not_supported`, depending on the answer of the gateway; the signal's reason
 */
export type OpenSocket = (url: string, options: OpenSocketOptions) => Promise<OpenedSocket>;

type Received = { readonly text: string } | { readonly code: number; readonly reason: string };

/** The receiving half of a transport. Buffers what arrives before `receive` is called, and reports the end once. */
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
