/** The bounds of the gateway's port that are not settings. Tests make them shorter. */
export interface ConnectionBounds {
  /** Time for all headers of a request, and before that for its first byte. */
  readonly headersTimeoutMs: number;
  /** Time for a whole request with its body. */
  readonly requestTimeoutMs: number;
  /** How long a connection is kept without a request. Load balancers reuse connections for up to 60 s. */
  readonly keepAliveTimeoutMs: number;
  /** How long a request or a response may make no progress. */
  readonly stalledTimeoutMs: number;
  /** Time for a TLS handshake. */
  readonly handshakeTimeoutMs: number;
  /** How often the two timeouts of requests are checked. */
  readonly checkEveryMs: number;
  /** Interval of the pings on a WebSocket. */
  readonly pingEveryMs: number;
  /** A WebSocket is closed after this time in which nothing arrived. */
  readonly silentAfterMs: number;
  /** Sockets beyond `limits.connections`, for HTTP and for connections that are about to be refused. */
  readonly spareSockets: number;
  /** Sockets of one address beyond `limits.connectionsPerAddress`. */
  readonly spareSocketsPerAddress: number;
  /** A message or body of a caller without a token, in the mode `required`. */
  readonly unauthenticatedBytes: number;
  /** Bytes of all messages and bodies together that are not answered yet. */
  readonly inboundBytes: number;
  /** Bytes of all output together that clients have not read yet. */
  readonly outboundBytes: number;
  /** A client that reads nothing for this time is cut off when others need the room. */
  readonly outboundStalledMs: number;
  /** Bytes that all clients together may send at once after they were refused. */
  readonly discardedBytes: number;
  /** The same in each second. */
  readonly discardedBytesPerSecond: number;
  /** A client beyond these two is closed after this time, in which it can read why it was refused. */
  readonly refusedCloseMs: number;
}

export const CONNECTION_BOUNDS: ConnectionBounds = Object.freeze({
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  keepAliveTimeoutMs: 75_000,
  stalledTimeoutMs: 75_000,
  handshakeTimeoutMs: 10_000,
  checkEveryMs: 2_000,
  pingEveryMs: 25_000,
  silentAfterMs: 60_000,
  spareSockets: 1_024,
  spareSocketsPerAddress: 64,
  unauthenticatedBytes: 65_536,
  inboundBytes: 64 * 1_048_576,
  outboundBytes: 64 * 1_048_576,
  outboundStalledMs: 2_000,
  discardedBytes: 32 * 1_048_576,
  discardedBytesPerSecond: 8 * 1_048_576,
  refusedCloseMs: 2_000,
});
