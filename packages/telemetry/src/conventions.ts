/**
 * Every attribute, instrument and span name that leaves this package, so that a change of the semantic conventions
 * is a change of this file.
 *
 * State (conventions v1.45.0, November 2026): RPC is stable as such, and its page on JSON-RPC in development;
 * messaging is in development; databases are stable. What is named `esdb_gater.*` has no convention. Topics, streams and message ids are
 * never attributes of a metric: they have no bound. Durations are seconds there, as the conventions want, whereas
 * our own events give milliseconds.
 */
import { type Attributes, SpanKind } from '@opentelemetry/api';

/** The instrumentation scope. */
export const SCOPE = '@esdb-gater/telemetry';

export const INSTRUMENTS = {
  serverDuration: 'rpc.server.call.duration',
  clientDuration: 'rpc.client.call.duration',
  workers: 'esdb_gater.workers',
  lookupDuration: 'esdb_gater.worker.lookup.duration',
  retries: 'esdb_gater.retry.attempts',
  retriesExhausted: 'esdb_gater.retry.exhausted',
  nodes: 'esdb_gater.cluster.nodes',
  broadcasts: 'esdb_gater.channel.broadcasts',
  deliveries: 'esdb_gater.channel.deliveries',
} as const;

/** A metric that is asked for at each export. */
export interface ObservedInstrument {
  readonly kind: 'gauge' | 'upDownCounter' | 'counter';
  readonly name: string;
  /** UCUM; what is counted is an annotation. */
  readonly unit: string;
  readonly description: string;
}

type ObservedKey =
  | 'connections'
  | 'sendQueue'
  | 'subscriptions'
  | 'dropped'
  | 'storeWorkers'
  | 'eventLoopDelay'
  | 'brokerUp'
  | 'brokerQueue'
  | 'brokerQueueSize'
  | 'lag'
  | 'deadLetters'
  | 'duplicates'
  | 'leaderless';

export const OBSERVED: Readonly<Record<ObservedKey, ObservedInstrument>> = {
  connections: observed('upDownCounter', 'connections', '{connection}', 'Live connections'),
  sendQueue: observed('upDownCounter', 'send_queue.size', 'By', 'Bytes that connections have not taken yet'),
  subscriptions: observed('upDownCounter', 'channel.subscriptions', '{subscription}', 'Subscriptions'),
  dropped: observed('counter', 'channel.dropped', '{message}', 'Messages that slow connections lost'),
  storeWorkers: observed('upDownCounter', 'store.workers', '{worker}', 'Workers of a store by state'),
  eventLoopDelay: observed(
    'gauge',
    'event_loop.delay',
    's',
    'Lateness of the event loop, over the last 10 s',
  ),
  brokerUp: observed('gauge', 'broker.up', '1', '1 when the broker works, 0.5 when in part, else 0'),
  brokerQueue: observed(
    'upDownCounter',
    'broker.queue.records',
    '{record}',
    'Records that wait for the broker',
  ),
  brokerQueueSize: observed('upDownCounter', 'broker.queue.size', 'By', 'Bytes that wait for the broker'),
  lag: observed('gauge', 'channel.lag', '{record}', 'Records that this node has not handed over yet'),
  deadLetters: observed('counter', 'dead_letters', '{record}', 'Records put aside as undeliverable'),
  duplicates: observed('counter', 'broker.duplicates', '{record}', 'Records left out that had come before'),
  leaderless: observed('gauge', 'broker.leaderless_partitions', '{partition}', 'Partitions without a leader'),
};

/** Bucket bounds in seconds that the conventions advise for calls. */
export const CALL_BOUNDS_SECONDS: number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

/** The ones of a lookup, which takes microseconds. */
export const LOOKUP_BOUNDS_SECONDS: number[] = [1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 1e-3, 1e-2];

export const ERROR_TYPE = 'error.type';
export const CHANNEL = 'messaging.destination.name';
export const CONNECTION_KIND = 'esdb_gater.connection.kind';
export const WORKER_STATE = 'esdb_gater.worker.state';
export const STATISTIC = 'esdb_gater.statistic';
export const RECIPIENTS = 'esdb_gater.recipient.count';
const STORE_ID = 'esdb_gater.store.id';

/** What a log line carries, named as the conventions for logs outside OTLP have it. */
export const LOG_FIELDS = { traceId: 'trace_id', spanId: 'span_id', flags: 'trace_flags' } as const;

/** One call, from the side that makes it (`client`) or serves it (`server`). */
export interface RpcSubject {
  readonly kind: 'client' | 'server';
  /** The method's name, such as `appendEvents`. */
  readonly method: string;
  readonly storeId?: string;
}

/** One message, from the side that publishes it (`producer`) or handles it (`consumer`). */
export interface MessagingSubject {
  readonly kind: 'producer' | 'consumer';
  readonly channel: string;
  /** @default 'esdb_gater' */
  readonly system?: 'esdb_gater' | 'kafka';
  readonly messageId?: string;
}

/** One call of a store in this process. */
export interface StoreSubject {
  readonly kind: 'store';
  /** The method's name, such as `appendEvents`. */
  readonly method: string;
  readonly storeId: string;
  /** What keeps the events: `sqlite`, `memory`. */
  readonly system: string;
}

export type SpanSubject = RpcSubject | MessagingSubject | StoreSubject;

const KINDS = {
  store: SpanKind.INTERNAL,
  client: SpanKind.CLIENT,
  server: SpanKind.SERVER,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

export function spanKind({ kind }: SpanSubject): SpanKind {
  return KINDS[kind];
}

/** Of few values: it names the method or the channel, never a stream or a topic. */
export function spanName(subject: SpanSubject): string {
  if (subject.kind === 'store') return `${subject.method} ${subject.storeId}`;
  return isRpc(subject) ? subject.method : `${operationOf(subject)} ${subject.channel}`;
}

export function spanAttributes(subject: SpanSubject): Attributes {
  if (subject.kind === 'store') {
    return {
      'db.system.name': subject.system,
      'db.operation.name': subject.method,
      'db.namespace': subject.storeId,
    };
  }
  if (isRpc(subject)) return callAttributes(subject.method, subject.storeId);
  const { kind, channel, system = 'esdb_gater', messageId } = subject;
  return {
    'messaging.system': system,
    [CHANNEL]: channel,
    'messaging.operation.name': operationOf(subject),
    'messaging.operation.type': kind === 'producer' ? 'send' : 'process',
    ...(messageId === undefined ? {} : { 'messaging.message.id': messageId }),
  };
}

export function callAttributes(method: string, storeId?: string, errorType?: string): Attributes {
  return {
    'rpc.system.name': 'jsonrpc',
    'rpc.method': method,
    ...(storeId === undefined ? {} : { [STORE_ID]: storeId }),
    ...(errorType === undefined ? {} : { [ERROR_TYPE]: errorType }),
  };
}

export function storeAttributes(storeId: string, errorType?: string): Attributes {
  return errorType === undefined ? { [STORE_ID]: storeId } : { [STORE_ID]: storeId, [ERROR_TYPE]: errorType };
}

export function channelAttributes(channel: string): Attributes {
  return { 'messaging.system': 'esdb_gater', [CHANNEL]: channel };
}

function operationOf({ kind }: MessagingSubject): string {
  return kind === 'producer' ? 'publish' : 'process';
}

function isRpc(subject: RpcSubject | MessagingSubject): subject is RpcSubject {
  return 'method' in subject;
}

function observed(
  kind: ObservedInstrument['kind'],
  name: string,
  unit: string,
  description: string,
): ObservedInstrument {
  return { kind, name: `esdb_gater.${name}`, unit, description };
}
