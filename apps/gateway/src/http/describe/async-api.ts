import {
  CLOSE_CODES,
  createSchemaWriter,
  factsOf,
  METHOD_NAMES,
  METHOD_SCHEMAS,
  type MethodName,
  NOTIFICATIONS,
  RPC_CODES,
  type SchemaWriter,
  SUBPROTOCOL,
} from '@esdb-gater/protocol';
import { ERROR_CODES } from '@esdb-gater/types';
import { METHOD_EXAMPLES } from './examples.ts';
import type { JsonSchema } from './operation.ts';

export interface AsyncApiOptions {
  readonly version: string;
  /** The WebSocket URL of the gateway. */
  readonly url: string;
}

type Notification = keyof typeof NOTIFICATIONS;

/** Notifications that a worker sends; all others come from the gateway. */
const FROM_WORKER: ReadonlySet<Notification> = new Set(['committed']);

const NOTIFICATION_NAMES = Object.keys(NOTIFICATIONS) as Notification[];

const CLOSE_REASONS: Readonly<Record<keyof typeof CLOSE_CODES, string>> = {
  normal: 'the client is done',
  goingAway: 'the gateway stops; the last position resumes on another',
  unsupportedData: 'a binary frame',
  broken: 'the connection broke; never sent',
  invalidText: 'text that is not UTF-8',
  policyViolation: 'too many invalid messages in a row, or a message that did not arrive in time',
  messageTooBig: 'a frame that is too big',
  tooSlow: 'the client does not read fast enough; the last position resumes',
  unauthorized: 'the token has expired or is not valid',
  forbidden: 'the token was revoked, or does not permit this',
  authenticationTimeout: 'no token arrived in time',
  tooMany: 'too many connections',
};

const JSON_RPC = { const: '2.0' } as const;
const ID = {
  anyOf: [
    { type: 'string', maxLength: 1_024 },
    { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
  ],
} as const;
const TRACE = {
  traceparent: { type: 'string', description: 'the trace context (W3C) of the call' },
  tracestate: { type: 'string' },
} as const;

/**
 * Describes the WebSocket protocol as AsyncAPI 3, from the gateway's side: it receives calls and replies to them, and it sends
 * notifications, and calls to workers.
 */
export function describeWebSocket({ version, url }: AsyncApiOptions): JsonSchema {
  const writer = createSchemaWriter();
  const { host, pathname, protocol } = new URL(url);
  writer.write(errorSchema());
  const messages = {
    ...Object.fromEntries(METHOD_NAMES.flatMap((method) => callMessages(method, writer))),
    ...Object.fromEntries(NOTIFICATION_NAMES.map((name) => notificationMessage(name, writer))),
    error: {
      name: 'error',
      title: 'error',
      summary: 'The answer to a call that failed.',
      contentType: 'application/json',
      payload: { $ref: '#/components/schemas/ErrorAnswer' },
    },
  };
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'esdb-gater',
      version,
      description:
        'JSON-RPC 2.0 over WebSocket, in text frames, with parameters by name and batches of 1 to 100. The HTTP interface is described at `/openapi.json`.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      gateway: {
        host,
        pathname,
        protocol: protocol.replace(':', ''),
        description: 'A gateway.',
        security: [{ $ref: '#/components/securitySchemes/bearer' }],
      },
    },
    channels: {
      gateway: {
        address: null,
        title: 'The connection of a client or a worker',
        servers: [{ $ref: '#/servers/gateway' }],
        messages: Object.fromEntries(
          Object.keys(messages).map((name) => [name, { $ref: `#/components/messages/${name}` }]),
        ),
        bindings: {
          ws: {
            method: 'GET',
            headers: {
              type: 'object',
              properties: {
                'Sec-WebSocket-Protocol': {
                  type: 'string',
                  const: SUBPROTOCOL,
                  description: 'a client that offers none is served, too',
                },
                Authorization: {
                  type: 'string',
                  description: '`Bearer` and a token, instead of `authenticate`',
                },
              },
            },
          },
        },
        'x-close-codes': Object.entries(CLOSE_CODES).map(([name, code]) => ({
          code,
          name,
          description: CLOSE_REASONS[name as keyof typeof CLOSE_CODES],
        })),
      },
    },
    operations: {
      ...Object.fromEntries(METHOD_NAMES.map((method) => [method, callOperation(method, 'receive')])),
      ...Object.fromEntries(
        METHOD_NAMES.filter((method) => factsOf(method).worker !== 'never').map((method) => [
          `worker.${method}`,
          callOperation(method, 'send'),
        ]),
      ),
      ...Object.fromEntries(
        NOTIFICATION_NAMES.map((name) => [
          name,
          {
            action: FROM_WORKER.has(name) ? 'receive' : 'send',
            channel: { $ref: '#/channels/gateway' },
            summary: summaryOf(name),
            messages: [{ $ref: `#/channels/gateway/messages/${name}` }],
          },
        ]),
      ),
    },
    components: {
      messages,
      schemas: writer.components,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'a capability token (UCAN)' },
      },
    },
  };
}

function callOperation(method: MethodName, action: 'send' | 'receive'): JsonSchema {
  const toWorker = action === 'send';
  return {
    action,
    channel: { $ref: '#/channels/gateway' },
    summary: METHOD_SCHEMAS[method].summary,
    ...(toWorker && {
      description:
        'The gateway asks a worker that has registered for the store. The parameters are those of the caller without `token`, and `deadlineMs`.',
    }),
    messages: [{ $ref: `#/channels/gateway/messages/${method}` }],
    reply: {
      channel: { $ref: '#/channels/gateway' },
      messages: [
        { $ref: `#/channels/gateway/messages/${method}.result` },
        { $ref: '#/channels/gateway/messages/error' },
      ],
    },
  };
}

function callMessages(method: MethodName, writer: SchemaWriter): readonly (readonly [string, JsonSchema])[] {
  const { params, result, summary } = METHOD_SCHEMAS[method];
  const { params: exampleParams, result: exampleResult } = METHOD_EXAMPLES[method];
  const call = {
    type: 'object',
    properties: {
      jsonrpc: JSON_RPC,
      id: { ...ID, description: 'absent in a call that is not to be answered' },
      method: { const: method },
      params: writer.write(withExtra(method, params)),
      ...TRACE,
    },
    // A method without members needs no `params`.
    required: ['jsonrpc', 'method', ...(writer.members(params).required.length > 0 ? ['params'] : [])],
  };
  const answer = {
    type: 'object',
    properties: { jsonrpc: JSON_RPC, id: ID, result: writer.write(result) },
    required: ['jsonrpc', 'id', 'result'],
  };
  return [
    [method, message(method, summary, call, { jsonrpc: '2.0', id: 1, method, params: exampleParams })],
    [
      `${method}.result`,
      message(`${method}.result`, `The answer to \`${method}\`.`, answer, {
        jsonrpc: '2.0',
        id: 1,
        result: exampleResult,
      }),
    ],
  ];
}

/** Adds to the parameters of a method what any call may have. */
function withExtra(method: MethodName, params: object): object {
  const { properties } = params as { readonly properties?: object };
  const extra = {
    token: { type: 'string', description: 'a capability token for this call only' },
    ...(factsOf(method).worker !== 'never' && {
      deadlineMs: { type: 'integer', description: 'the time that is left, in calls to workers' },
    }),
  };
  return { ...params, title: undefined, properties: { ...properties, ...extra } };
}

function notificationMessage(name: Notification, writer: SchemaWriter): readonly [string, JsonSchema] {
  const payload = {
    type: 'object',
    properties: { jsonrpc: JSON_RPC, method: { const: name }, params: writer.write(NOTIFICATIONS[name]) },
    required: ['jsonrpc', 'method', 'params'],
  };
  return [name, message(name, summaryOf(name), payload)];
}

function message(name: string, summary: string, payload: JsonSchema, example?: JsonSchema): JsonSchema {
  return {
    name,
    title: name,
    summary,
    contentType: 'application/json',
    payload,
    ...(example !== undefined && { examples: [{ name, payload: example }] }),
  };
}

function summaryOf(name: Notification): string {
  return String((NOTIFICATIONS[name] as { readonly description?: string }).description);
}

function errorSchema(): JsonSchema {
  return {
    title: 'ErrorAnswer',
    type: 'object',
    properties: {
      jsonrpc: JSON_RPC,
      id: { anyOf: [...ID.anyOf, { type: 'null' }] },
      error: {
        type: 'object',
        properties: {
          code: { type: 'integer', enum: Object.values(RPC_CODES) },
          message: { type: 'string' },
          data: {
            type: 'object',
            properties: {
              code: { type: 'string', enum: Object.keys(ERROR_CODES) },
              retriable: { type: 'boolean' },
              reason: { type: 'string' },
              retryAfterMs: { type: 'integer' },
            },
            required: ['code', 'retriable'],
          },
        },
        required: ['code', 'message', 'data'],
      },
    },
    required: ['jsonrpc', 'id', 'error'],
  };
}
