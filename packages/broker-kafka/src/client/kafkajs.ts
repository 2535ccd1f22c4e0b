import {
  type Address,
  type ClusterMetadata,
  type ConnectOptions,
  type Driver,
  type DriverConnection,
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
import {
  closeConnection,
  createTopicsApi,
  fetchApi,
  type KafkajsConnection,
  listOffsetsApi,
  metadataApi,
  openConnection,
  produceApi,
  sendRequest,
} from './kafkajs-internals.ts';

/** Uses the connection and the requests of kafkajs 2.2.4, without its clients. */
export const kafkajsDriver: Driver = {
  name: 'kafkajs',
  async connect(address: Address, options: ConnectOptions): Promise<DriverConnection> {
    return new KafkajsDriverConnection(await openConnection(address, options));
  },
};

class KafkajsDriverConnection implements DriverConnection {
  readonly #connection: KafkajsConnection;

  constructor(connection: KafkajsConnection) {
    this.#connection = connection;
  }

  isOpen(): boolean {
    return this.#connection.isConnected();
  }

  async metadata(topics: readonly string[]): Promise<ClusterMetadata> {
    const answer = await sendRequest(this.#connection, metadataApi, {
      topics: [...topics],
      allowAutoTopicCreation: false,
    });
    return {
      brokers: answer.brokers.map(({ nodeId, host, port }) => ({ nodeId, host, port })),
      topics: answer.topicMetadata.map(({ topic, topicErrorCode, partitionMetadata }) => ({
        topic,
        error: topicErrorCode,
        partitions: partitionMetadata.map(({ partitionId, leader }) => ({ partition: partitionId, leader })),
      })),
    };
  }

  async createTopics(topics: readonly TopicSpec[], timeoutMs: number): Promise<readonly TopicOutcome[]> {
    const answer = await sendRequest(this.#connection, createTopicsApi, {
      topics: topics.map((spec) => ({
        topic: spec.topic,
        numPartitions: spec.partitions,
        replicationFactor: spec.replicationFactor,
        configEntries: Object.entries(spec.settings).map(([name, value]) => ({ name, value })),
      })),
      validateOnly: false,
      timeout: timeoutMs,
    });
    return answer.topicErrors.map(({ topic, errorCode, errorMessage }) => ({
      topic,
      error: errorCode,
      ...(errorMessage === null ? {} : { message: errorMessage }),
    }));
  }

  async listOffsets(queries: readonly OffsetQuery[]): Promise<readonly OffsetOutcome[]> {
    const topics = byTopic(queries, ({ partition, timestampMs }) => ({ partition, timestamp: timestampMs }));
    const answer = await sendRequest(this.#connection, listOffsetsApi, {
      replicaId: PROTOCOL.noReplica,
      isolationLevel: PROTOCOL.readCommitted,
      topics,
    });
    return answer.responses.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, errorCode, offset }) => ({
        topic,
        partition,
        error: errorCode,
        offset: Number(offset),
      })),
    );
  }

  async produce(batches: readonly ProduceBatch[], timeoutMs: number): Promise<readonly ProduceOutcome[]> {
    const topicData = byTopic(batches, ({ partition, records }) => ({
      partition,
      messages: records.map(({ key, value, headers, timestampMs }) => ({
        key,
        value,
        headers: Object.fromEntries(headers),
        timestamp: timestampMs,
      })),
    }));
    const answer = await sendRequest(this.#connection, produceApi, {
      acks: PROTOCOL.acksAll,
      timeout: timeoutMs,
      topicData,
    });
    return answer.topics.flatMap(({ topicName, partitions }) =>
      partitions.map(({ partition, errorCode, baseOffset }) => ({
        topic: topicName,
        partition,
        error: errorCode,
        baseOffset: Number(baseOffset),
      })),
    );
  }

  fetch(partitions: readonly FetchPartition[], options: FetchOptions): Promise<readonly FetchOutcome[]> {
    return sendRequest(this.#connection, fetchApi, {
      replicaId: PROTOCOL.noReplica,
      maxWaitTime: options.maxWaitMs,
      minBytes: 1,
      maxBytes: options.maxBytes,
      isolationLevel: PROTOCOL.readCommitted,
      topics: byTopic(partitions, ({ partition, offset }) => ({
        partition,
        fetchOffset: offset,
        maxBytes: options.partitionBytes,
      })),
    });
  }

  close(): void {
    closeConnection(this.#connection);
  }
}

/** Groups entries by topic, as the requests of kafkajs expect, and converts each with `toPartition`. */
function byTopic<Entry extends { readonly topic: string }, Partition>(
  entries: readonly Entry[],
  toPartition: (entry: Entry) => Partition,
): { topic: string; partitions: Partition[] }[] {
  return [...Map.groupBy(entries, ({ topic }) => topic)].map(([topic, ofTopic]) => ({
    topic,
    partitions: ofTopic.map(toPartition),
  }));
}
