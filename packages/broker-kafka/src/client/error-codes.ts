/** The error codes of the Kafka protocol that are treated in a way of their own. */
export const KAFKA_ERROR = {
  none: 0,
  offsetOutOfRange: 1,
  unknownTopicOrPartition: 3,
  messageTooLarge: 10,
  invalidTopic: 17,
  recordListTooLarge: 18,
  topicAuthorizationFailed: 29,
  invalidTimestamp: 32,
  topicAlreadyExists: 36,
  invalidReplicationFactor: 38,
  unsupportedForMessageFormat: 43,
  policyViolation: 44,
  invalidRecord: 87,
} as const;

/** What makes no difference to ask again: the record itself is refused. */
const REFUSALS: ReadonlySet<number> = new Set([
  KAFKA_ERROR.messageTooLarge,
  KAFKA_ERROR.invalidTopic,
  KAFKA_ERROR.recordListTooLarge,
  KAFKA_ERROR.topicAuthorizationFailed,
  KAFKA_ERROR.invalidTimestamp,
  KAFKA_ERROR.unsupportedForMessageFormat,
  KAFKA_ERROR.policyViolation,
  KAFKA_ERROR.invalidRecord,
]);

/** True when the broker will never take these records, so that waiting for it is of no use. */
export function isRefusal(code: number): boolean {
  return REFUSALS.has(code);
}

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(KAFKA_ERROR).map(([name, code]) => [code, name]),
);

/** A code for a log or a message. */
export function errorName(code: number): string {
  return `Kafka error ${code}${NAMES.has(code) ? ` (${NAMES.get(code)})` : ''}`;
}
