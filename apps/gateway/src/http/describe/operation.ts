import type { MethodName } from '@esdb-gater/protocol';
import type { ErrorCode } from '@esdb-gater/types';
import type { QueryKind } from '../query.ts';

/** A plain JSON Schema. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export const OPERATION_TAGS = {
  Streams: 'Events of streams and of whole stores.',
  Snapshots: 'The state of aggregates at a version.',
  Subscriptions: 'Persistent subscriptions. Their events are delivered over WebSocket.',
  Channels: 'Publish and subscribe.',
  Gateway: 'Probes, metrics, descriptions, revocations.',
} as const;

/** The content of an answer, by its media type. */
export type AnswerContent = Readonly<Record<string, { readonly schema: object; readonly example?: unknown }>>;

/** A successful answer. */
export interface Answer {
  readonly description: string;
  readonly headers?: JsonSchema;
  /** @default the method's result as JSON */
  readonly content?: AnswerContent;
}

/** What the description of HTTP says about a route. The method's schemas say the rest. */
export interface Operation {
  /** The method's name where the route calls one. */
  readonly id: string;
  readonly tag: keyof typeof OPERATION_TAGS;
  /** Whose parameters and result these are. */
  readonly method?: MethodName;
  /** @default that of the method */
  readonly summary?: string;
  readonly description?: string;
  /** Query parameters: by name the member of the method's parameters that each becomes, or its schema. */
  readonly query?: Readonly<Record<string, string | object>>;
  /** Query parameters that must be given. */
  readonly requiredQuery?: readonly string[];
  /** Schemas of path parts that differ from the method's parameters. */
  readonly path?: Readonly<Record<string, object>>;
  /** The body is an object of the method's parameters, apart from those in the path. */
  readonly body?: true;
  /** Other bodies that are accepted, by their media types. */
  readonly otherBodies?: AnswerContent;
  /** Successful answers by status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** Codes beyond those that every such call may end with. */
  readonly errors?: readonly ErrorCode[];
  /** Shows no examples in the path: the same path with another valid body may be refused by design. */
  readonly varies?: true;
  /** Needs no token in any mode. */
  readonly open?: true;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the description says about the route. Absent for routes that refuse all requests. */
    readonly operation?: Operation;
  }
}

/** Returns the content of an answer of one media type. */
export function content(type: string, schema: object, example?: unknown): AnswerContent {
  return { [type]: { schema, ...(example !== undefined && { example }) } };
}

/** Returns the query parameters of an operation: one for each that its route reads, or this does not compile. */
export function described<Kinds extends Readonly<Record<string, QueryKind>>>(
  query: {
    readonly [Name in keyof Kinds]: string | object;
  },
): Readonly<Record<string, string | object>> {
  return query;
}

/** Returns the schema of a member of an object. @throws when it has none of that name */
export function memberOf(schema: object, name: string): object {
  const { properties = {} } = schema as { readonly properties?: Readonly<Record<string, object>> };
  const member = properties[name];
  if (member === undefined) throw new Error(`the schema has no member ${JSON.stringify(name)}`);
  return member;
}
