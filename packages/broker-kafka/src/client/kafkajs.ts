import { connect as connectSocket } from 'node:net';
import type {
  Address,
  ClusterMetadata,
  ConnectOptions,
  Driver,
  DriverConnection,
  FetchOptions,
  FetchOutcome,
  FetchPartition,
  OffsetOutcome,
  OffsetQuery,
  ProduceBatch,
  ProduceOutcome,
  TopicOutcome,
  TopicSpec,
} from './driver.ts';
import { groupByTopic } from './group-by-topic.ts';
import type { KafkajsConnection, KafkajsDecoder, KafkajsRequest } from './kafkajs-internals.ts';
import * as internals from './kafkajs-internals.ts';

const ACKS_ALL = -1;
const NO_REPLICA = -1;
const READ_COMMITTED = 1;
const NOTHING = Buffer.alloc(0);

/** kafkajs tells nobody but us what goes wrong, and we say it once with our own words. */
const quiet = Object.freeze({ namespace: () => quiet, debug() {}, info() {}, warn() {}, error() {} });

/** kafkajs 2.2.4: its connection and its requests, without its clients. */
export const kafkajsDriver: Driver = {
  name: 'kafkajs',
  async connect({ host, port }: Address, options: ConnectOptions): Promise<DriverConnection> {
    const connection = new internals.Connection({
      host,
      port,
      clientId: options.clientId,
      connectionTimeout: options.timeoutMs,
      requestTimeout: options.timeoutMs,
      // Its own timeouts run a timer ten times a second for every connection. Ours are around the requests.
      enforceRequestTimeout: false,
      logger: quiet,
      socketFactory: openSocket,
    });
    tameRequestQueue(connection.requestQueue);
    await connection.connect();
    return new KafkajsDriverConnection(connection);
  },
};

/** As its own, but without Nagle's delay: a publish is one small write that somebody waits for. */
function openSocket({ host, port, onConnect }: Address & { readonly onConnect: () => void }) {
  const socket = connectSocket({ host, port }, onConnect);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 60_000);
  return socket;
}

/**
 * After every answer kafkajs sets a timer for requests that wait, with a negative delay when none is throttled:
 * Node 24 warns of it (TimeoutNegativeWarning), and each one costs. We let nothing wait there, so no timer is due.
 */
function tameRequestQueue(queue: KafkajsConnection['requestQueue']): void {
  const schedule = queue.scheduleCheckPendingRequests.bind(queue);
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0) schedule();
  };
}

class KafkajsDriverConnection implements DriverConnection {
  readonly #connection: KafkajsConnection;

  constructor(connection: KafkajsConnection) {
    this.#connection = connection;
  }

  isOpen(): boolean {
    return this.#connection.isConnected();
  }

  async metadata(topics: readonly string[]): Promise<ClusterMetadata> {
    const { request, decode } = internals.metadata;
    const answer = await this.#send(request({ topics: [...topics], allowAutoTopicCreation: false }), decode);
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
    const { request, decode } = internals.createTopics;
    const answer = await this.#send(
      request({
        topics: topics.map((spec) => ({
          topic: spec.topic,
          numPartitions: spec.partitions,
          replicationFactor: spec.replicationFactor,
          configEntries: Object.entries(spec.settings).map(([name, value]) => ({ name, value })),
        })),
        validateOnly: false,
        timeout: timeoutMs,
      }),
      decode,
    );
    return answer.topicErrors.map(({ topic, errorCode, errorMessage }) => ({
      topic,
      error: errorCode,
      ...(errorMessage === null ? {} : { message: errorMessage }),
    }));
  }

  async listOffsets(queries: readonly OffsetQuery[]): Promise<readonly OffsetOutcome[]> {
    const { request, decode } = internals.listOffsets;
    const topics = [...groupByTopic(queries)].map(([topic, entries]) => ({
      topic,
      partitions: entries.map(({ partition, timestampMs }) => ({ partition, timestamp: timestampMs })),
    }));
    const answer = await this.#send(
      request({ replicaId: NO_REPLICA, isolationLevel: READ_COMMITTED, topics }),
      decode,
    );
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
    const { request, decode } = internals.produce;
    const topicData = [...groupByTopic(batches)].map(([topic, entries]) => ({
      topic,
      partitions: entries.map(({ partition, records }) => ({
        partition,
        messages: records.map(({ key, value, headers, timestampMs }) => ({
          key,
          value,
          headers: Object.fromEntries(headers),
          timestamp: timestampMs,
        })),
      })),
    }));
    const answer = await this.#send(request({ acks: ACKS_ALL, timeout: timeoutMs, topicData }), decode);
    return answer.topics.flatMap(({ topicName, partitions }) =>
      partitions.map(({ partition, errorCode, baseOffset }) => ({
        topic: topicName,
        partition,
        error: errorCode,
        baseOffset: Number(baseOffset),
      })),
    );
  }

  async fetch(
    partitions: readonly FetchPartition[],
    options: FetchOptions,
  ): Promise<readonly FetchOutcome[]> {
    const topics = [...groupByTopic(partitions)].map(([topic, entries]) => ({
      topic,
      partitions: entries.map(({ partition, offset }) => ({
        partition,
        fetchOffset: offset,
        maxBytes: options.partitionBytes,
      })),
    }));
    const request = internals.fetchRequest({
      replicaId: NO_REPLICA,
      maxWaitTime: options.maxWaitMs,
      minBytes: 1,
      maxBytes: options.maxBytes,
      isolationLevel: READ_COMMITTED,
      topics,
    });
    return await this.#send(request, decodeFetch);
  }

  close(): void {
    this.#connection.rejectRequests(new Error('the connection was closed'));
    this.#connection.requestQueue.destroy();
    this.#connection.socket?.destroy();
  }

  #send<T>(request: KafkajsRequest, decode: (data: Buffer) => Promise<T>): Promise<T> {
    return this.#connection.send({
      request,
      response: { decode, parse: async (answer) => answer },
      logResponseError: false,
    });
  }
}

/** Fetch response, version 11, with the record sets left as they are. */
async function decodeFetch(data: Buffer): Promise<FetchOutcome[]> {
  const decoder = new internals.Decoder(data);
  decoder.readInt32(); // throttle time
  const error = decoder.readInt16();
  decoder.readInt32(); // session
  return decoder
    .readArray((d) => {
      const topic = d.readString();
      return d.readArray((p) => decodeFetchPartition(p, topic, error));
    })
    .flat();
}

function decodeFetchPartition(decoder: KafkajsDecoder, topic: string, error: number): FetchOutcome {
  const partition = decoder.readInt32();
  const own = decoder.readInt16();
  decoder.readInt64(); // high watermark: what is not committed counts for nothing here
  const endOffset = Number(decoder.readInt64());
  const startOffset = Number(decoder.readInt64());
  const aborted = decoder.readArray((d) => ({
    producerId: Number(d.readInt64()),
    firstOffset: Number(d.readInt64()),
  }));
  decoder.readInt32(); // preferred read replica
  const records = decoder.readBytes() ?? NOTHING;
  return { topic, partition, error: own === 0 ? error : own, endOffset, startOffset, aborted, records };
}
