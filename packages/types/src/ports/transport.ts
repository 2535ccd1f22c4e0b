/** A connection for text messages in both directions, in order, until it closes. */
export interface Transport {
  /** Queues one text message; never throws. Has no effect after the connection has closed. */
  send(text: string): void;
  /** Begins the close. Codes as in RFC 6455 section 7.4; repeated calls have no effect. */
  close(code: number, reason: string): void;
  /** Sets the only receiver. Messages that arrived before are passed to it at once. */
  receive(handlers: TransportHandlers): void;
}

export interface TransportHandlers {
  message(text: string): void;
  /** Once, after the last message. `code` 1006 when the connection broke. */
  closed(code: number, reason: string): void;
}
