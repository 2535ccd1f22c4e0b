import { createRequire } from 'node:module';
import { connect as connectSocket, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Address, ConnectOptions, FetchOutcome, TlsOptions } from './driver.ts';

/**
 * Holds everything that this package uses of kafkajs below its documented clients. Nothing else imports these parts.
 *
 * kafkajs has had no release since 2.2.4 (February 2023), so `package.json` pins that version. Each entry names the
 * upstream issue (github.com/tulios/kafkajs) and the failure without it.
 *
 * - The private modules `src/network/connection` and `src/protocol/*`. kafkajs reads only as a member of a consumer
 *   group (#853 and #1060, closed; #1429, a draft that was never merged), and `seek` is unreliable in a group (#1363,
 *   open). With a group per node, records written while it joins are lost, and every replay needs another group.
 * - `response.parse` is replaced (`sendRequest`). The one of kafkajs throws the first error code of a response (#1460,
 *   open; #1078). One partition without a leader then hides the leaders of all others, and one rejected batch hides the
 *   results of the other batches of its request.
 * - The decoder of fetch responses is replaced (`decodeFetch`). The one of kafkajs never passes a batch whose records
 *   were all compacted away (#562, closed; #1072, open), and throws away the whole response for one batch with a codec
 *   that is not registered (#1141) or that is damaged. Tails of `health` and of compacted logs then stop for good.
 * - `requestQueue.scheduleCheckPendingRequests` is patched (`stopPolling`). From the first response on it sets a timer of
 *   1 ms again and again (#1704 and #1556, open), so an idle connection wakes the process hundreds of times a second,
 *   and Node 24 warns about the negative delay of that timer (#1751, open).
 * - `disconnect` is not called (`closeConnection`). It waits for the requests in flight (#918), so a connection to a
 *   broker that hangs never closes, and its requests never settle.
 * - `enforceRequestTimeout` is off. It checks every connection ten times a second (#650); `Connections` has a timer
 *   for each request instead.
 * - `socketFactory` (#263) sets TCP_NODELAY. kafkajs leaves Nagle's algorithm on, so a small request may wait for the
 *   acknowledgement of the one before; librdkafka had the same default until confluentinc/librdkafka#4986.
 */
const load = createRequire(import.meta.url);

export interface KafkajsRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
}

type Decode<Answer> = (data: Buffer) => Promise<Answer>;

export interface KafkajsConnection {
  isConnected(): boolean;
  connect(): Promise<unknown>;
  setVersions(versions: object): void;
  setSupportAuthenticationProtocol(isSupported: boolean): void;
  authenticate(): Promise<void>;
  send<T>(protocol: {
    readonly request: KafkajsRequest;
    readonly response: { readonly decode: Decode<T>; readonly parse: (decoded: T) => Promise<T> };
    readonly logResponseError: boolean;
  }): Promise<T>;
  rejectRequests(error: Error): void;
  readonly socket?: { destroy(): void };
  readonly requestQueue: {
    readonly pending: readonly unknown[];
    scheduleCheckPendingRequests(): void;
    destroy(): void;
  };
}

interface KafkajsDecoder {
  readInt16(): number;
  readInt32(): number;
  readInt64(): { toString(): string };
  readString(): string;
  readBytes(): Buffer | null;
  readArray<T>(read: (decoder: KafkajsDecoder) => T): T[];
}

const Connection = load('kafkajs/src/network/connection') as new (
  options: Record<string, unknown>,
) => KafkajsConnection;

const Decoder = load('kafkajs/src/protocol/decoder') as new (data: Buffer) => KafkajsDecoder;

/** Drops the log lines of kafkajs: every failure reaches the caller, which logs it once. */
const silentLogger = Object.freeze({
  namespace: () => silentLogger,
  debug() {},
  info() {},
  warn() {},
  error() {},
});

/** Opens a connection. Rejects when it is not open within `timeoutMs`. */
export async function openConnection(address: Address, options: ConnectOptions): Promise<KafkajsConnection> {
  const connection = new Connection({
    host: address.host,
    port: address.port,
    clientId: options.clientId,
    connectionTimeout: options.timeoutMs,
    requestTimeout: options.timeoutMs,
    enforceRequestTimeout: false,
    logger: silentLogger,
    socketFactory: openSocket,
    ssl: options.tls ?? null,
    sasl: options.sasl === undefined ? null : { ...options.sasl },
  });
  stopPolling(connection.requestQueue);
  await connection.connect();
  if (options.sasl === undefined) return connection;
  try {
    connection.setVersions(LOGIN_VERSIONS);
    connection.setSupportAuthenticationProtocol(true);
    await connection.authenticate();
    return connection;
  } catch (error) {
    closeConnection(connection);
    throw error;
  }
}

/** Sends a request and resolves with its decoded response, error codes included. */
export function sendRequest<Parameters, Answer>(
  connection: KafkajsConnection,
  { request, decode }: Api<Parameters, Answer>,
  parameters: Parameters,
): Promise<Answer> {
  return connection.send({
    request: request(parameters),
    response: { decode, parse: async (answer) => answer },
    logResponseError: false,
  });
}

/** Closes a connection at once and rejects the requests in flight. */
export function closeConnection(connection: KafkajsConnection): void {
  connection.rejectRequests(new Error('the connection was closed'));
  connection.requestQueue.destroy();
  connection.socket?.destroy();
}

/** The versions of SaslHandshake and SaslAuthenticate that every Kafka since 2.7 has. */
const LOGIN_VERSIONS = { 17: { minVersion: 0, maxVersion: 1 }, 36: { minVersion: 0, maxVersion: 1 } };

interface SocketOptions extends Address {
  readonly ssl: TlsOptions | null;
  readonly onConnect: () => void;
}

function openSocket({ host, port, ssl, onConnect }: SocketOptions): Socket {
  const socket =
    ssl === null
      ? connectSocket({ host, port }, onConnect)
      : connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 60_000);
  return socket;
}

/** Lets the queue set its timer only while requests wait in it: while the broker throttles this client. */
function stopPolling(queue: KafkajsConnection['requestQueue']): void {
  const schedule = queue.scheduleCheckPendingRequests.bind(queue);
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0) schedule();
  };
}

/** One version of a request of the Kafka protocol. */
interface Api<Parameters, Answer> {
  readonly request: (parameters: Parameters) => KafkajsRequest;
  readonly decode: Decode<Answer>;
}

function loadApi<Parameters, Answer>(path: string): Api<Parameters, Answer> {
  const { decode } = load(`kafkajs/src/protocol/requests/${path}/response`) as { decode: Decode<Answer> };
  return { request: load(`kafkajs/src/protocol/requests/${path}/request`), decode };
}

interface PerTopic<Partition> {
  readonly topic: string;
  readonly partitions: readonly Partition[];
}

interface MetadataParameters {
  readonly topics: readonly string[];
  readonly allowAutoTopicCreation: boolean;
}

interface MetadataAnswer {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly topicMetadata: readonly {
    readonly topic: string;
    readonly topicErrorCode: number;
    readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[];
  }[];
}

interface CreateTopicsParameters {
  readonly topics: readonly {
    readonly topic: string;
    readonly numPartitions: number;
    readonly replicationFactor: number;
    readonly configEntries: readonly { readonly name: string; readonly value: string }[];
  }[];
  readonly validateOnly: boolean;
  readonly timeout: number;
}

interface CreateTopicsAnswer {
  readonly topicErrors: readonly {
    readonly topic: string;
    readonly errorCode: number;
    readonly errorMessage: string | null;
  }[];
}

interface ListOffsetsParameters {
  readonly replicaId: number;
  readonly isolationLevel: number;
  readonly topics: readonly PerTopic<{ readonly partition: number; readonly timestamp: number }>[];
}

interface ListOffsetsAnswer {
  readonly responses: readonly PerTopic<{
    readonly partition: number;
    readonly errorCode: number;
    readonly offset: string;
  }>[];
}

interface ProduceParameters {
  readonly acks: number;
  readonly timeout: number;
  readonly topicData: readonly PerTopic<{
    readonly partition: number;
    readonly messages: readonly {
      readonly key: Buffer | null;
      readonly value: Buffer | null;
      readonly headers: Readonly<Record<string, Buffer>>;
      readonly timestamp: number;
    }[];
  }>[];
}

interface ProduceAnswer {
  readonly topics: readonly {
    readonly topicName: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly errorCode: number;
      readonly baseOffset: string;
    }[];
  }[];
}

interface FetchParameters {
  readonly replicaId: number;
  readonly maxWaitTime: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly isolationLevel: number;
  readonly topics: readonly PerTopic<{
    readonly partition: number;
    readonly fetchOffset: number;
    readonly maxBytes: number;
  }>[];
}

// The newest version of each request that kafkajs knows. Kafka 2.3 and newer accept them, Kafka 4 included.
export const metadataApi: Api<MetadataParameters, MetadataAnswer> = loadApi('metadata/v6');
export const createTopicsApi: Api<CreateTopicsParameters, CreateTopicsAnswer> = loadApi('createTopics/v3');
export const listOffsetsApi: Api<ListOffsetsParameters, ListOffsetsAnswer> = loadApi('listOffsets/v3');
export const produceApi: Api<ProduceParameters, ProduceAnswer> = loadApi('produce/v7');
export const fetchApi: Api<FetchParameters, readonly FetchOutcome[]> = {
  request: load('kafkajs/src/protocol/requests/fetch/v11/request'),
  decode: decodeFetch,
};

/** Decodes a fetch response of version 11, and leaves the record batches encoded. */
async function decodeFetch(data: Buffer): Promise<readonly FetchOutcome[]> {
  const decoder = new Decoder(data);
  decoder.readInt32(); // throttle time
  const error = decoder.readInt16();
  decoder.readInt32(); // session id
  return decoder
    .readArray((d) => {
      const topic = d.readString();
      return d.readArray((p) => decodeFetchPartition(p, topic, error));
    })
    .flat();
}

function decodeFetchPartition(decoder: KafkajsDecoder, topic: string, responseError: number): FetchOutcome {
  const partition = decoder.readInt32();
  const error = decoder.readInt16() || responseError;
  const writtenOffset = Number(decoder.readInt64()); // the high watermark
  const endOffset = Number(decoder.readInt64());
  const startOffset = Number(decoder.readInt64());
  const aborted = decoder.readArray((d) => ({
    producerId: Number(d.readInt64()),
    firstOffset: Number(d.readInt64()),
  }));
  decoder.readInt32(); // preferred read replica
  const records = decoder.readBytes() ?? Buffer.alloc(0);
  return { topic, partition, error, endOffset, writtenOffset, startOffset, aborted, records };
}
