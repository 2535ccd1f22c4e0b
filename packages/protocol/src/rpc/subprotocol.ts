/** The WebSocket subprotocol of this version. */
export const SUBPROTOCOL = 'esdb-gater.v1';

/** The close codes of connections. Those below 4000 are from RFC 6455. */
export const CLOSE_CODES = {
  normal: 1000,
  /** The gateway stops; the last position resumes on another. */
  goingAway: 1001,
  /** A binary frame. */
  unsupportedData: 1003,
  /** The connection broke; never sent. */
  broken: 1006,
  /** Text that is not UTF-8. */
  invalidText: 1007,
  /** Too many invalid messages in a row, or a message that did not arrive in time. */
  policyViolation: 1008,
  messageTooBig: 1009,
  /** The connection does not read fast enough; the last position resumes. */
  tooSlow: 4008,
  /** The token has expired or is not valid. */
  unauthorized: 4401,
  /** The token was revoked, or does not permit this. */
  forbidden: 4403,
  /** No token arrived in time. */
  authenticationTimeout: 4408,
  /** Too many connections. */
  tooMany: 4429,
} as const;

export type CloseCode = (typeof CLOSE_CODES)[keyof typeof CLOSE_CODES];
