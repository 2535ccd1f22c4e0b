/**
 * Every span name and span attribute that leaves this package, so that a change of the semantic conventions is a
 * change of this file. Metrics have their own table, `instruments.ts`.
 *
 * State (conventions v1.45.0, November 2026): RPC is stable as such, and its page on JSON-RPC in development; messaging
 * is in development; databases are stable. Names that begin with `esdb_gater.` have no convention.
 */
import { type Attributes, SpanKind } from '@opentelemetry/api';

/** The instrumentation scope. */
export const SCOPE = '@esdb-gater/telemetry';

export const ERROR_TYPE = 'error.type';
export const RECIPIENTS = 'esdb_gater.recipient.count';

/** The trace members of a log line, named by the conventions for logs outside OTLP. */
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
  /** The kind of store: `sqlite`, `memory`. */
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
  if (isRpc(subject)) {
    return {
      'rpc.system.name': 'jsonrpc',
      'rpc.method': subject.method,
      ...(subject.storeId === undefined ? {} : { 'esdb_gater.store.id': subject.storeId }),
    };
  }
  const { kind, channel, system = 'esdb_gater', messageId } = subject;
  return {
    'messaging.system': system,
    'messaging.destination.name': channel,
    'messaging.operation.name': operationOf(subject),
    'messaging.operation.type': kind === 'producer' ? 'send' : 'process',
    ...(messageId === undefined ? {} : { 'messaging.message.id': messageId }),
  };
}

function operationOf({ kind }: MessagingSubject): string {
  return kind === 'producer' ? 'publish' : 'process';
}

function isRpc(subject: RpcSubject | MessagingSubject): subject is RpcSubject {
  return 'method' in subject;
}
