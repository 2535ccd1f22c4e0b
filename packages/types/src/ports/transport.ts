/** A connection that carries text messages both ways, in order, until it closes. */
export interface Transport {
  /** Queues one text message; never throws. After the close it does nothing. */
  send(text: string): void;
  /** Begins the close. Codes as in RFC 6455 section 7.4; repeated calls do nothing. */
  close(code: number, reason: string): void;
  /** Sets the only receiver. Messages that came before are handed over at once. */
  receive(handlers: TransportHandlers): void;
}

export interface TransportHandlers {
  message(text: string): void;
  /** Once, after the last message. `code` 1006 when the connection broke. */
  closed(code: number, reason: string): void;
}
