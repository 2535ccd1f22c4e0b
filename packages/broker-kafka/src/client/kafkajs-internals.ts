import { createRequire } from 'node:module';

/**
 * kafkajs offers no reading without a consumer group, and its groups cannot begin at given offsets without a gap in
 * which records are lost. So its connection and its requests are used below its clients. They are not part of what
 * it documents, hence the version is pinned; it has not changed since 2023, and the tests of the driver would tell.
 */
const load = createRequire(import.meta.url);

/** Opaque: what the connection sends. */
export interface KafkajsRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
}

export interface KafkajsResponse<T> {
  readonly decode: (data: Buffer) => Promise<T>;
  /** In kafkajs it throws for any error code in the answer; ours gives the answer as it is. */
  readonly parse: (decoded: T) => Promise<T>;
}

export interface KafkajsConnection {
  isConnected(): boolean;
  connect(): Promise<unknown>;
  send<T>(protocol: {
    readonly request: KafkajsRequest;
    readonly response: KafkajsResponse<T>;
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

export interface KafkajsDecoder {
  readInt16(): number;
  readInt32(): number;
  readInt64(): { toString(): string };
  readString(): string;
  readBytes(): Buffer | null;
  readArray<T>(read: (decoder: KafkajsDecoder) => T): T[];
}

export const Connection = load('kafkajs/src/network/connection') as new (
  options: Record<string, unknown>,
) => KafkajsConnection;

export const Decoder = load('kafkajs/src/protocol/decoder') as new (data: Buffer) => KafkajsDecoder;

export interface MetadataAnswer {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly topicMetadata: readonly {
    readonly topic: string;
    readonly topicErrorCode: number;
    readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[];
  }[];
}

export interface CreateTopicsAnswer {
  readonly topicErrors: readonly {
    readonly topic: string;
    readonly errorCode: number;
    readonly errorMessage: string | null;
  }[];
}

export interface ListOffsetsAnswer {
  readonly responses: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly errorCode: number;
      readonly offset: string;
    }[];
  }[];
}

export interface ProduceAnswer {
  readonly topics: readonly {
    readonly topicName: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly errorCode: number;
      readonly baseOffset: string;
    }[];
  }[];
}

interface Api<Parameters, Answer> {
  readonly request: (parameters: Parameters) => KafkajsRequest;
  readonly decode: (data: Buffer) => Promise<Answer>;
}

function api<Parameters, Answer>(path: string): Api<Parameters, Answer> {
  const { decode } = load(`kafkajs/src/protocol/requests/${path}/response`) as Api<Parameters, Answer>;
  return { request: load(`kafkajs/src/protocol/requests/${path}/request`), decode };
}

interface MetadataParameters {
  readonly topics: readonly string[];
  readonly allowAutoTopicCreation: boolean;
}

interface CreateTopicsParameters {
  readonly topics: readonly unknown[];
  readonly validateOnly: boolean;
  readonly timeout: number;
}

interface ListOffsetsParameters {
  readonly replicaId: number;
  readonly isolationLevel: number;
  readonly topics: readonly unknown[];
}

interface ProduceParameters {
  readonly acks: number;
  readonly timeout: number;
  readonly topicData: readonly unknown[];
}

interface FetchParameters {
  readonly replicaId: number;
  readonly maxWaitTime: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly isolationLevel: number;
  readonly topics: readonly unknown[];
}

// The newest version of each request that kafkajs knows. Kafka 2.3 and newer take them, Kafka 4 too.
export const metadata: Api<MetadataParameters, MetadataAnswer> = api('metadata/v6');
export const createTopics: Api<CreateTopicsParameters, CreateTopicsAnswer> = api('createTopics/v3');
export const listOffsets: Api<ListOffsetsParameters, ListOffsetsAnswer> = api('listOffsets/v3');
export const produce: Api<ProduceParameters, ProduceAnswer> = api('produce/v7');
export const fetchRequest: (parameters: FetchParameters) => KafkajsRequest = load(
  'kafkajs/src/protocol/requests/fetch/v11/request',
);
