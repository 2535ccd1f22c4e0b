/**
 * Opens connections to Kafka brokers. Implemented once for each client library.
 *
 * A driver is all that differs between the libraries: one connection to one broker, and six requests on it. Leaders,
 * retries, batches, positions and bounds are the same code for all drivers. A request resolves with Kafka's error
 * codes as they are, and rejects only when the connection cannot be used any more.
 */
export interface Driver {
  readonly name: 'kafkajs' | 'platformatic';
  /** Rejects when the connection is not open within `timeoutMs`. */
  connect(address: Address, options: ConnectOptions): Promise<DriverConnection>;
}

/** Where a broker listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** How to connect by TLS. Texts are PEM. */
export interface TlsOptions {
  /** The authorities that are trusted. @default those of the system */
  readonly ca?: string;
  /** The client's certificate, when the brokers ask for one. */
  readonly cert?: string;
  readonly key?: string;
}

/** How to log in. */
export interface SaslOptions {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

/** How every connection is protected. */
export interface ConnectionSecurity {
  /** @default plain TCP */
  readonly tls?: TlsOptions;
  /** @default no login */
  readonly sasl?: SaslOptions;
}

export interface ConnectOptions extends ConnectionSecurity {
  /** The name under which the broker logs this client. */
  readonly clientId: string;
  readonly timeoutMs: number;
}

/** An open connection to one broker. */
export interface DriverConnection {
  /** False once the broker has closed the connection. */
  isOpen(): boolean;
  metadata(topics: readonly string[]): Promise<ClusterMetadata>;
  createTopics(topics: readonly TopicSpec[], timeoutMs: number): Promise<readonly TopicOutcome[]>;
  listOffsets(queries: readonly OffsetQuery[]): Promise<readonly OffsetOutcome[]>;
  /** Writes with acks=all, neither idempotently nor in a transaction. At most one batch for each partition. */
  produce(batches: readonly ProduceBatch[], timeoutMs: number): Promise<readonly ProduceOutcome[]>;
  /** Resolves when there are records, or after `maxWaitMs`. Returns committed records only. */
  fetch(partitions: readonly FetchPartition[], options: FetchOptions): Promise<readonly FetchOutcome[]>;
  /** Closes the connection at once; requests in flight reject. */
  close(): void;
}

export interface ClusterMetadata {
  readonly brokers: readonly (Address & { readonly nodeId: number })[];
  readonly topics: readonly TopicMetadata[];
}

export interface TopicMetadata {
  readonly topic: string;
  readonly error: number;
  readonly partitions: readonly PartitionMetadata[];
}

export interface PartitionMetadata {
  readonly partition: number;
  /** The node id of the leader, or -1 when the partition has no leader. */
  readonly leader: number;
}

/** A topic to create. `settings` are Kafka's topic configurations, by name. */
export interface TopicSpec {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly settings: Readonly<Record<string, string>>;
}

export interface TopicOutcome {
  readonly topic: string;
  readonly error: number;
  readonly message?: string;
}

/** In place of a timestamp: the offset after the last committed record, and the offset of the first record. */
export const LATEST = -1;
export const EARLIEST = -2;

export interface OffsetQuery {
  readonly topic: string;
  readonly partition: number;
  /** Unix milliseconds, `LATEST` or `EARLIEST`. */
  readonly timestampMs: number;
}

export interface OffsetOutcome {
  readonly topic: string;
  readonly partition: number;
  readonly error: number;
  /** The first record at or after the timestamp, or -1 when there is none. */
  readonly offset: number;
}

/** A record to write. Header names come from a fixed list. */
export interface DriverRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [name: string, value: Buffer])[];
  readonly timestampMs: number;
}

export interface ProduceBatch {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly DriverRecord[];
}

export interface ProduceOutcome {
  readonly topic: string;
  readonly partition: number;
  readonly error: number;
  /** The offset of the first record of the batch. */
  readonly baseOffset: number;
}

export interface FetchPartition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface FetchOptions {
  readonly maxWaitMs: number;
  /** Of the whole response. Kafka returns the first batch even when it is larger. */
  readonly maxBytes: number;
  /** Of one partition. */
  readonly partitionBytes: number;
}

/** A transaction whose records were never committed. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

export interface FetchOutcome {
  readonly topic: string;
  readonly partition: number;
  readonly error: number;
  /** The offset after the last committed record. */
  readonly endOffset: number;
  /** The offset after the last record, those of open transactions included. */
  readonly writtenOffset: number;
  /** The offset of the first record that Kafka still keeps. */
  readonly startOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Encoded record batches; `readRecordSet` decodes them. */
  readonly records: Buffer;
}

/** Values of the Kafka protocol that all libraries use. */
export const PROTOCOL = {
  /** Acknowledge a write once all in-sync replicas have it. */
  acksAll: -1,
  /** The sender of a fetch is a client, not a replica. */
  noReplica: -1,
  /** Isolation level: leave out the records of open and aborted transactions. */
  readCommitted: 1,
} as const;

/** The error codes of the Kafka protocol that this package handles differently. */
export const KAFKA_ERROR = {
  none: 0,
  offsetOutOfRange: 1,
  unknownTopicOrPartition: 3,
  notLeaderOrFollower: 6,
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

const NON_RETRIABLE: ReadonlySet<number> = new Set([
  KAFKA_ERROR.messageTooLarge,
  KAFKA_ERROR.invalidTopic,
  KAFKA_ERROR.recordListTooLarge,
  KAFKA_ERROR.topicAuthorizationFailed,
  KAFKA_ERROR.invalidTimestamp,
  KAFKA_ERROR.unsupportedForMessageFormat,
  KAFKA_ERROR.policyViolation,
  KAFKA_ERROR.invalidRecord,
]);

/** Returns true when the broker rejects the records themselves, so that a retry cannot succeed. */
export function isNonRetriable(code: number): boolean {
  return NON_RETRIABLE.has(code);
}

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(KAFKA_ERROR).map(([name, code]) => [code, name]),
);

/** Formats an error code for a log or an error message. */
export function errorName(code: number): string {
  return `Kafka error ${code}${NAMES.has(code) ? ` (${NAMES.get(code)})` : ''}`;
}
