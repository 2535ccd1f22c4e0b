import { createSchemaWriter, METHOD_SCHEMAS, type SchemaWriter } from '@esdb-gater/protocol';
import type { RouteOptions } from 'fastify';
import { METHOD_EXAMPLES } from './examples.ts';
import { type AnswerContent, type JsonSchema, OPERATION_TAGS, type Operation } from './operation.ts';
import { PROBLEM_HEADERS, PROBLEM_SCHEMA, problemResponses } from './problems.ts';

export interface OpenApiOptions {
  readonly version: string;
  /** True where every call needs a token. */
  readonly tokensRequired: boolean;
  /** The path in front of all paths, such as `/gater`; empty at the root. */
  readonly prefix: string;
}

/** Describes routes as OpenAPI 3.1. What a route does not say of itself comes from the schemas that validate its method. */
export function describeHttp(routes: readonly RouteOptions[], options: OpenApiOptions): JsonSchema {
  const writer = createSchemaWriter();
  writer.write(PROBLEM_SCHEMA);
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const { url, method, config } of routes) {
    const operation = config?.operation;
    if (operation === undefined) continue;
    const path = url.replaceAll(/:(\w+)/g, '{$1}');
    const item = { ...paths[path] };
    paths[path] = item;
    for (const one of [method].flat()) item[one.toLowerCase()] = describe(operation, path, writer, options);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'esdb-gater',
      version: options.version,
      description:
        'A gateway for event stores and channels. The WebSocket protocol at `/v1/ws` has more methods; see `/asyncapi.json`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: options.prefix === '' ? '/' : options.prefix }],
    tags: Object.entries(OPERATION_TAGS).map(([name, description]) => ({ name, description })),
    security: options.tokensRequired ? [{ bearer: [] }] : [{ bearer: [] }, {}],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'a capability token (UCAN)' },
      },
      headers: PROBLEM_HEADERS,
      schemas: sorted(writer.components),
    },
  };
}

function describe(
  operation: Operation,
  path: string,
  writer: SchemaWriter,
  { tokensRequired }: OpenApiOptions,
): JsonSchema {
  const { id, tag, method, summary, description, answers, open } = operation;
  const parts = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const parameters = parametersOf(operation, parts, writer);
  const body = bodyOf(operation, parts, writer);
  const responses = Object.entries(answers).map(([status, { content, ...answer }]) => [
    status,
    {
      ...answer,
      ...(content !== undefined && { content: writtenContent(content, writer) }),
      ...(content === undefined && method !== undefined && { content: resultOf(operation, writer) }),
    },
  ]);
  return {
    operationId: id,
    tags: [tag],
    summary: summary ?? (method === undefined ? id : METHOD_SCHEMAS[method].summary),
    ...(description !== undefined && { description }),
    ...(open === true && tokensRequired && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: body }),
    responses: sorted({ ...problemResponses(operation, parts.length > 0), ...Object.fromEntries(responses) }),
  };
}

function exampleOf({ method }: Operation): Readonly<Record<string, unknown>> {
  return method === undefined ? {} : METHOD_EXAMPLES[method].params;
}

function parametersOf(
  operation: Operation,
  parts: readonly string[],
  writer: SchemaWriter,
): readonly JsonSchema[] {
  const { method, query = {}, requiredQuery = [], path = {}, varies = false } = operation;
  const { properties } =
    method === undefined ? { properties: {} } : writer.members(METHOD_SCHEMAS[method].params);
  const members: Readonly<Record<string, object>> = properties;
  const examples = exampleOf(operation);
  const parameter = (
    place: 'path' | 'query',
    name: string,
    given: string | object,
    required: boolean,
  ): JsonSchema => {
    const member = typeof given === 'string' ? given : name;
    const schema = typeof given === 'string' ? members[given] : given;
    if (schema === undefined) throw new Error(`${operation.id} has no parameter ${JSON.stringify(given)}`);
    const { description, ...rest } = schema as JsonSchema;
    const example = varies ? undefined : examples[member];
    return {
      name,
      in: place,
      required,
      ...(description !== undefined && { description }),
      schema: writer.write(rest),
      ...(example !== undefined && { example }),
    };
  };
  return [
    ...parts.map((name) => parameter('path', name, path[name] ?? name, true)),
    ...Object.entries(query).map(([name, given]) =>
      parameter('query', name, given, requiredQuery.includes(name)),
    ),
  ];
}

function bodyOf(
  operation: Operation,
  parts: readonly string[],
  writer: SchemaWriter,
): JsonSchema | undefined {
  const { method, body, otherBodies = {} } = operation;
  if (body === undefined || method === undefined) return undefined;
  const schema = METHOD_SCHEMAS[method].params;
  const { properties, required } = writer.members(schema);
  const inBody = ([name]: readonly [string, unknown]): boolean => !parts.includes(name);
  const forms = writer.variants(schema, parts);
  const whole: JsonSchema =
    forms.length > 0
      ? { anyOf: forms }
      : {
          type: 'object',
          properties: Object.fromEntries(Object.entries(properties).filter(inBody)),
          required: required.filter((name) => !parts.includes(name)),
          additionalProperties: false,
        };
  const example = Object.fromEntries(Object.entries(exampleOf(operation)).filter(inBody));
  return {
    required: true,
    content: { 'application/json': { schema: whole, example }, ...writtenContent(otherBodies, writer) },
  };
}

function writtenContent(content: AnswerContent, writer: SchemaWriter): AnswerContent {
  return Object.fromEntries(
    Object.entries(content).map(([type, { schema, ...rest }]) => [
      type,
      { schema: writer.write(schema), ...rest },
    ]),
  );
}

function resultOf({ method }: Operation, writer: SchemaWriter): JsonSchema {
  if (method === undefined) return {};
  const schema = writer.write(METHOD_SCHEMAS[method].result);
  return { 'application/json': { schema, example: METHOD_EXAMPLES[method].result } };
}

function sorted<T>(values: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));
}
