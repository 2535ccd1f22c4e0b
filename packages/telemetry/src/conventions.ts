/**
 * Every attribute, instrument and span name that leaves this package, so that a change of the semantic conventions
 * is a change of this file.
 *
 * State (conventions v1.45.0, November 2026): RPC is stable as such, and its page on JSON-RPC in development;
 * messaging is in development. What is named `esdb_gater.*` has no convention. Topics, streams and message ids are
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

/** Bucket bounds in seconds that the conventions advise for calls. */
export const CALL_BOUNDS_SECONDS: number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

/** The ones of a lookup, which takes microseconds. */
export const LOOKUP_BOUNDS_SECONDS: number[] = [1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 1e-3, 1e-2];

export const ERROR_TYPE = 'error.type';
const STORE_ID = 'esdb_gater.store.id';

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

export type SpanSubject = RpcSubject | MessagingSubject;

const KINDS = {
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
  return isRpc(subject) ? subject.method : `${operationOf(subject)} ${subject.channel}`;
}

export function spanAttributes(subject: SpanSubject): Attributes {
  if (isRpc(subject)) return callAttributes(subject.method, subject.storeId);
  const { kind, channel, system = 'esdb_gater', messageId } = subject;
  return {
    'messaging.system': system,
    'messaging.destination.name': channel,
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
  return { 'messaging.system': 'esdb_gater', 'messaging.destination.name': channel };
}

function operationOf({ kind }: MessagingSubject): string {
  return kind === 'producer' ? 'publish' : 'process';
}

function isRpc(subject: SpanSubject): subject is RpcSubject {
  return 'method' in subject;
}
