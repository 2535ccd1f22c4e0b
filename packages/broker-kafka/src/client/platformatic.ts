import {
  Connection,
  createTopicsV5,
  fetchV12,
  listOffsetsV7,
  metadataV9,
  produceV9,
  type Reader,
  ResponseError,
} from '@platformatic/kafka';
import {
  type Address,
  type ClusterMetadata,
  type ConnectOptions,
  type Driver,
  type DriverConnection,
  type DriverRecord,
  type FetchOptions,
  type FetchOutcome,
  type FetchPartition,
  type OffsetOutcome,
  type OffsetQuery,
  PROTOCOL,
  type ProduceBatch,
  type ProduceOutcome,
  type TopicOutcome,
  type TopicSpec,
} from './driver.ts';

/** The names of SASL. */
const MECHANISMS = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
} as const;

/** Longer than any request may take: `Connections` ends a request that takes too long. */
const REQUEST_TIMEOUT_MS = 120_000;

/**
 * Uses the connection and the requests of `@platformatic/kafka`, without its clients. Needs Kafka 2.7 or newer.
 */
export const platformaticDriver: Driver = {
  name: 'platformatic',
  async connect(address: Address, options: ConnectOptions): Promise<DriverConnection> {
    const connection = new Connection(options.clientId, {
      connectTimeout: options.timeoutMs,
      requestTimeout: REQUEST_TIMEOUT_MS,
      ...(options.tls === undefined ? {} : { tls: { ...options.tls }, tlsServerName: true }),
      ...(options.sasl === undefined
        ? {}
        : { sasl: { ...options.sasl, mechanism: MECHANISMS[options.sasl.mechanism] } }),
    });
    // Without a listener, an error between requests would end the process.
    let failure: unknown;
    connection.on('error', (error: unknown) => {
      failure ??= error;
    });
    try {
      await connection.connect(address.host, address.port);
    } catch (error) {
      throw new Error(reasonOf(error), { cause: error });
    }
    return new PlatformaticConnection(connection, () => failure);
  },
};

/** The library says only that the connection failed; its causes say why. */
function reasonOf(error: unknown): string {
  let reason = '';
  for (let at: unknown = error; at instanceof Error; ) {
    reason = at.message === '' ? reason : at.message;
    at = at.cause ?? (at instanceof AggregateError ? at.errors[0] : undefined);
  }
  return reason;
}

class PlatformaticConnection implements DriverConnection {
  readonly #connection: Connection;
  /** Why the connection has ended, or undefined. */
  readonly #failure: () => unknown;

  constructor(connection: Connection, failure: () => unknown) {
    this.#connection = connection;
    this.#failure = failure;
  }

  isOpen(): boolean {
    return this.#connection.isConnected();
  }

  async metadata(topics: readonly string[]): Promise<ClusterMetadata> {
    const response = await this.#answer(
      metadataV9.api.async(this.#connection, [...topics], false, false, false),
    );
    return {
      brokers: response.brokers.map(({ nodeId, host, port }) => ({ nodeId, host, port })),
      topics: response.topics.map(({ name, errorCode, partitions }) => ({
        topic: name,
        error: errorCode,
        partitions: partitions.map(({ partitionIndex, leaderId }) => ({
          partition: partitionIndex,
          leader: leaderId,
        })),
      })),
    };
  }

  async createTopics(topics: readonly TopicSpec[], timeoutMs: number): Promise<readonly TopicOutcome[]> {
    const request = topics.map((spec) => ({
      name: spec.topic,
      numPartitions: spec.partitions,
      replicationFactor: spec.replicationFactor,
      assignments: [],
      configs: Object.entries(spec.settings).map(([name, value]) => ({ name, value })),
    }));
    const response = await this.#answer(
      createTopicsV5.api.async(this.#connection, request, timeoutMs, false),
    );
    return response.topics.map(({ name, errorCode, errorMessage }) => ({
      topic: name,
      error: errorCode,
      ...(errorMessage === null || errorMessage === undefined ? {} : { message: errorMessage }),
    }));
  }

  async listOffsets(queries: readonly OffsetQuery[]): Promise<readonly OffsetOutcome[]> {
    const topics = [...Map.groupBy(queries, topicOf)].map(([name, entries]) => ({
      name,
      partitions: entries.map(({ partition, timestampMs }) => ({
        partitionIndex: partition,
        currentLeaderEpoch: -1,
        timestamp: BigInt(timestampMs),
      })),
    }));
    const response = await this.#answer(
      listOffsetsV7.api.async(this.#connection, PROTOCOL.noReplica, PROTOCOL.readCommitted, topics),
    );
    return response.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, errorCode, offset }) => ({
        topic: name,
        partition: partitionIndex,
        error: errorCode,
        offset: Number(offset),
      })),
    );
  }

  async produce(batches: readonly ProduceBatch[], timeoutMs: number): Promise<readonly ProduceOutcome[]> {
    const messages = batches.flatMap(({ topic, partition, records }) =>
      records.map((record) => messageOf(topic, partition, record)),
    );
    const response = await this.#answer(
      produceV9.api.async(this.#connection, PROTOCOL.acksAll, timeoutMs, messages, {}),
    );
    if (typeof response === 'boolean') throw new Error('a produce request with acks=all was not answered');
    return response.responses.flatMap(({ name, partitionResponses }) =>
      partitionResponses.map(({ index, errorCode, baseOffset }) => ({
        topic: name,
        partition: index,
        error: errorCode,
        baseOffset: Number(baseOffset),
      })),
    );
  }

  fetch(partitions: readonly FetchPartition[], options: FetchOptions): Promise<readonly FetchOutcome[]> {
    const topics = [...Map.groupBy(partitions, topicOf)].map(([topic, entries]) => ({
      topicId: topic, // version 12 of the request has the topic's name in this field
      partitions: entries.map(({ partition, offset }) => ({
        partition,
        currentLeaderEpoch: -1,
        fetchOffset: BigInt(offset),
        lastFetchedEpoch: -1,
        partitionMaxBytes: options.partitionBytes,
      })),
    }));
    const { maxWaitMs, maxBytes } = options;
    return new Promise((resolve, reject) => {
      this.#connection.send(
        fetchV12.api.key,
        fetchV12.api.version,
        () => fetchV12.createRequest(maxWaitMs, 1, maxBytes, PROTOCOL.readCommitted, 0, -1, topics, [], ''),
        parseFetch,
        true,
        true,
        (error: Error | null, outcomes?: readonly FetchOutcome[]) => {
          if (error !== null && error !== undefined) reject(this.#explained(error));
          else resolve(outcomes ?? []);
        },
      );
    });
  }

  close(): void {
    this.#connection.socket?.destroy();
    this.#connection.close(() => {});
  }

  /** Resolves with a response that carries error codes, too; the library rejects with it. */
  async #answer<T>(request: Promise<T>): Promise<T> {
    try {
      return await request;
    } catch (error) {
      if (error instanceof ResponseError && error['response'] !== undefined) return error['response'] as T;
      throw this.#explained(error);
    }
  }

  /** The library says of a request only that its connection was closed; a broker that refuses a certificate says why. */
  #explained(error: unknown): unknown {
    const failure = this.#failure();
    return failure === undefined ? error : new Error(reasonOf(failure), { cause: error });
  }
}

function topicOf({ topic }: { readonly topic: string }): string {
  return topic;
}

function messageOf(topic: string, partition: number, record: DriverRecord) {
  const headers = new Map<Buffer, Buffer>();
  for (const [name, value] of record.headers) headers.set(nameBytes(name), value);
  return {
    topic,
    partition,
    headers,
    timestamp: BigInt(record.timestampMs),
    ...(record.key === null ? {} : { key: record.key }),
    // The library's type does not allow null, but its encoder writes null as a tombstone.
    value: record.value as Buffer,
  };
}

const names = new Map<string, Buffer>();

/** Encodes a header name once. Names come from a fixed list, so the map stays small. */
function nameBytes(name: string): Buffer {
  let bytes = names.get(name);
  if (bytes === undefined) {
    bytes = Buffer.from(name);
    names.set(name, bytes);
  }
  return bytes;
}

/** Decodes a fetch response of version 12, and leaves the record batches encoded. */
function parseFetch(_correlationId: number, _key: number, _version: number, reader: Reader): FetchOutcome[] {
  reader.readInt32(); // throttle time
  const error = reader.readInt16();
  reader.readInt32(); // session id
  const outcomes: FetchOutcome[] = [];
  reader.readArray((r) => {
    const topic = r.readString();
    r.readArray((p) => {
      outcomes.push({ topic, ...parseFetchPartition(p, error) });
    });
  });
  reader.readTaggedFields();
  return outcomes;
}

function parseFetchPartition(reader: Reader, responseError: number): Omit<FetchOutcome, 'topic'> {
  const partition = reader.readInt32();
  const error = reader.readInt16() || responseError;
  const writtenOffset = Number(reader.readInt64()); // the high watermark
  const endOffset = Number(reader.readInt64());
  const startOffset = Number(reader.readInt64());
  const aborted =
    reader.readNullableArray((r) => ({
      producerId: Number(r.readInt64()),
      firstOffset: Number(r.readInt64()),
    })) ?? [];
  reader.readInt32(); // preferred read replica
  const records = reader.readNullableBytes() ?? Buffer.alloc(0);
  return { partition, error, endOffset, writtenOffset, startOffset, aborted, records };
}
