/**
 * What the broker needs of a Kafka client, and all that differs between the two drivers: one connection to one
 * Kafka broker, and six requests on it. Leaders, retries, batches, positions and bounds are ours, the same for both.
 *
 * A request answers with Kafka's error codes as they are; it rejects only when the connection is of no more use.
 */
export interface Driver {
  readonly name: 'kafkajs' | 'platformatic';
  /** Rejects when there is no connection within `timeoutMs`. */
  connect(address: Address, options: ConnectOptions): Promise<DriverConnection>;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ConnectOptions {
  readonly clientId: string;
  readonly timeoutMs: number;
}

export interface DriverConnection {
  /** False once the other side has gone. */
  isOpen(): boolean;
  metadata(topics: readonly string[]): Promise<ClusterMetadata>;
  createTopics(topics: readonly TopicSpec[], timeoutMs: number): Promise<readonly TopicOutcome[]>;
  listOffsets(queries: readonly OffsetQuery[]): Promise<readonly OffsetOutcome[]>;
  /** acks=all, neither idempotent nor in a transaction. At most one batch for each partition. */
  produce(batches: readonly ProduceBatch[], timeoutMs: number): Promise<readonly ProduceOutcome[]>;
  /** Answers when there is anything, or after `maxWaitMs`. Committed records only. */
  fetch(partitions: readonly FetchPartition[], options: FetchOptions): Promise<readonly FetchOutcome[]>;
  /** Ends it at once; what is under way rejects. */
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
  /** -1 when there is none at this moment. */
  readonly leader: number;
}

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

/** The end of a partition (of what is committed), and its beginning, in place of a time. */
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
  /** -1 when no record has that time or a later one. */
  readonly offset: number;
}

/** A record on its way out. Header names are from a fixed list. */
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
  /** Of the first record. */
  readonly baseOffset: number;
}

export interface FetchPartition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface FetchOptions {
  readonly maxWaitMs: number;
  /** Of the whole answer and of one partition; the first batch comes even when it is larger. */
  readonly maxBytes: number;
  readonly partitionBytes: number;
}

export interface FetchOutcome {
  readonly topic: string;
  readonly partition: number;
  readonly error: number;
  /** Up to where records are committed. */
  readonly endOffset: number;
  readonly startOffset: number;
  readonly aborted: readonly { readonly producerId: number; readonly firstOffset: number }[];
  /** Record batches as they come; read by `readRecordSet`. */
  readonly records: Buffer;
}
