/** The bounds of the public surface. Sizes in bytes are of the UTF-8 encoding; `Units` are UTF-16 units. */
export const LIMITS = {
  /** Longest `storeId`. */
  storeIdUnits: 64,
  /** Longest stream id, event type, subscription name or tag. */
  nameUnits: 255,
  /** Most events of one append. */
  eventsPerAppend: 1_000,
  /** Items of a query. */
  queryItems: 1_000,
  /** Types and tags of all items of a query together. */
  queryNames: 10_000,
  /** An event or a message as JSON. */
  messageBytes: 1_048_576,
  /** A WebSocket frame or an HTTP body. */
  frameBytes: 16_777_216,
  /** A page of events ends early when its events pass this as JSON. */
  pageBytes: 8_388_608,
  /** Greatest `count` or `limit` of a page. */
  pageCount: 1_000,
  /** `count` or `limit` when none is given. */
  pageCountDefault: 100,
  /** Longest channel topic. */
  topicUnits: 1_024,
  /** Most segments of a channel topic. */
  topicSegments: 32,
  /** Most requests of a JSON-RPC batch. */
  batchRequests: 100,
  /** Unanswered requests of one connection. */
  inFlight: 1_024,
  /** Maximum bytes that wait to be sent to one subscriber. */
  queueBytes: 4_194_304,
  /** Maximum number of messages that wait to be sent to one subscriber. */
  queueMessages: 10_000,
} as const;
