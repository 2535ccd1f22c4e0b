import { eventTypeSchema, tagSchema, validateParams } from '@esdb-gater/protocol';
import { type JsonObject, LIMITS, type NewBytesEvent, type NewEvent } from '@esdb-gater/types';
import type { RouteOptions } from 'fastify';
import { bodyMembers, parseJson } from '../body.ts';
import { cloudEventsOf } from '../cloud-events-body.ts';
import { CLOUD_EVENT_EXAMPLE, CLOUD_EVENT_SCHEMA } from '../describe/cloud-event-schema.ts';
import { content, described } from '../describe/operation.ts';
import { bodyOf, requireJsonType, searchOf } from '../http-app.ts';
import { type HttpCalls, partsOf, sendJson } from '../http-calls.ts';
import { readQuery } from '../query.ts';

const STREAMS = '/v1/stores/:storeId/streams';

const APPEND_QUERY = { expectedVersion: 'integer' } as const;
const STREAM_QUERY = { from: 'integer', count: 'integer', direction: 'text' } as const;
const STREAMS_QUERY = { prefix: 'text', after: 'text', limit: 'integer' } as const;
const DELETE_QUERY = { expectedVersion: 'integer' } as const;
const STORE_QUERY = { after: 'integer', limit: 'integer', types: 'texts', tags: 'texts' } as const;

const list = (items: object, description: string): object => ({ type: 'array', items, description });

/** Routes of streams, their events, and the events of a whole store. */
export function streamRoutes(calls: HttpCalls): RouteOptions[] {
  return [
    {
      method: 'POST',
      url: `${STREAMS}/:streamId/events`,
      config: {
        operation: {
          id: 'appendEvents',
          tag: 'Streams',
          method: 'appendEvents',
          description:
            'The body is an object, or one or many CloudEvents by content type. A CloudEvent in binary mode has its attributes in headers that begin with `ce-` and its data, JSON, as the body. `expectedVersion` in the query is for CloudEvents; one in the body wins.',
          query: described<typeof APPEND_QUERY>({
            expectedVersion: 'expectedVersion',
          }),
          body: true,
          // Another event with the same id is refused.
          varies: true,
          otherBodies: {
            ...content('application/cloudevents+json', CLOUD_EVENT_SCHEMA, CLOUD_EVENT_EXAMPLE),
            ...content(
              'application/cloudevents-batch+json',
              { type: 'array', items: CLOUD_EVENT_SCHEMA, minItems: 1, maxItems: LIMITS.eventsPerAppend },
              [CLOUD_EVENT_EXAMPLE],
            ),
          },
          answers: {
            200: { description: 'Every event was already there; nothing was written.' },
            201: { description: 'The events are written.' },
          },
          errors: ['wrong_expected_version', 'append_condition_failed', 'stream_deleted'],
        },
      },
      async handler(request, reply) {
        const path = partsOf(request, 'storeId', 'streamId');
        const query = readQuery(searchOf(request), APPEND_QUERY);
        const cloudEvents = cloudEventsOf(request);
        if (cloudEvents === undefined) requireJsonType(request);
        const params =
          cloudEvents === undefined
            ? withQuery(bodyMembers(parseJson(bodyOf(request)), ['storeId', 'streamId']), query, path)
            : withVersion(cloudEvents, query);
        const result = await calls.run(request, 'appendEvents', { ...params, ...path });
        return sendJson(reply, result, result.duplicate ? 200 : 201);
      },
    },
    {
      method: 'GET',
      url: `${STREAMS}/:streamId/events`,
      config: {
        operation: {
          id: 'getEvents',
          tag: 'Streams',
          method: 'getEvents',
          query: described<typeof STREAM_QUERY>({
            from: {
              type: 'integer',
              minimum: 0,
              maximum: Number.MAX_SAFE_INTEGER,
              description: 'the version to begin with; by default 0, or backward the newest',
            },
            count: 'count',
            direction: 'direction',
          }),
          answers: { 200: { description: 'A page; `next` is the `from` of the following one.' } },
          errors: ['stream_not_found', 'stream_deleted'],
        },
      },
      async handler(request, reply) {
        const { from, ...query } = readQuery(searchOf(request), STREAM_QUERY);
        const params = { ...partsOf(request, 'storeId', 'streamId'), ...query };
        const start = from === undefined ? {} : { startVersion: from };
        return sendJson(reply, await calls.run(request, 'getEvents', { ...params, ...start }));
      },
    },
    {
      method: 'GET',
      url: STREAMS,
      config: {
        operation: {
          id: 'getStreams',
          tag: 'Streams',
          method: 'getStreams',
          query: described<typeof STREAMS_QUERY>({ prefix: 'prefix', after: 'after', limit: 'limit' }),
          answers: { 200: { description: 'A page; `next` is the `after` of the following one.' } },
        },
      },
      async handler(request, reply) {
        const query = readQuery(searchOf(request), STREAMS_QUERY);
        return sendJson(
          reply,
          await calls.run(request, 'getStreams', { ...partsOf(request, 'storeId'), ...query }),
        );
      },
    },
    {
      method: 'GET',
      url: `${STREAMS}/:streamId`,
      config: {
        operation: {
          id: 'getVersion',
          tag: 'Streams',
          method: 'getVersion',
          summary: 'The version of a stream, and whether it exists.',
          answers: {
            200: {
              description: 'The version, -1 for a stream that never was.',
              content: content(
                'application/json',
                {
                  type: 'object',
                  properties: { version: { type: 'integer', minimum: -1 }, exists: { type: 'boolean' } },
                  required: ['version', 'exists'],
                },
                { version: 0, exists: true },
              ),
            },
          },
        },
      },
      async handler(request, reply) {
        readQuery(searchOf(request), {});
        const stream = partsOf(request, 'storeId', 'streamId');
        const [version, exists] = await Promise.all([
          calls.run(request, 'getVersion', stream),
          calls.run(request, 'streamExists', stream),
        ]);
        return sendJson(reply, { ...version, ...exists });
      },
    },
    {
      method: 'DELETE',
      url: `${STREAMS}/:streamId`,
      config: {
        operation: {
          id: 'deleteStream',
          tag: 'Streams',
          method: 'deleteStream',
          query: described<typeof DELETE_QUERY>({ expectedVersion: 'expectedVersion' }),
          answers: { 200: { description: 'The stream is deleted.' } },
          errors: ['stream_not_found', 'stream_deleted', 'wrong_expected_version'],
        },
      },
      async handler(request, reply) {
        const query = readQuery(searchOf(request), DELETE_QUERY);
        const params = { ...partsOf(request, 'storeId', 'streamId'), ...query };
        return sendJson(reply, await calls.run(request, 'deleteStream', params));
      },
    },
    {
      method: 'GET',
      url: '/v1/stores/:storeId/events',
      config: {
        operation: {
          id: 'readAll',
          tag: 'Streams',
          method: 'readAll',
          description: 'With `types` or `tags` it is `queryEvents` with one item.',
          query: described<typeof STORE_QUERY>({
            after: 'after',
            limit: 'limit',
            types: list(eventTypeSchema, 'events of any of these types'),
            tags: list(tagSchema, 'events that have all of these tags'),
          }),
          answers: { 200: { description: 'A page; `next` is the `after` of the following one.' } },
          errors: ['not_supported'],
        },
      },
      async handler(request, reply) {
        const { types, tags, ...page } = readQuery(searchOf(request), STORE_QUERY);
        const params = { ...partsOf(request, 'storeId'), ...page };
        if (types === undefined && tags === undefined)
          return sendJson(reply, await calls.run(request, 'readAll', params));
        const item = { ...(types === undefined ? {} : { types }), ...(tags === undefined ? {} : { tags }) };
        return sendJson(
          reply,
          await calls.run(request, 'queryEvents', { ...params, query: { items: [item] } }),
        );
      },
    },
  ];
}

/** Returns the parameters of a body. Its `expectedVersion` wins over that of the query, which must be valid all the same. */
function withQuery(body: JsonObject, query: { readonly expectedVersion?: number }, path: object): JsonObject {
  if (query.expectedVersion === undefined) return body;
  validateParams('appendEvents', { ...body, ...path, ...query });
  return { ...query, ...body };
}

function withVersion(
  events: readonly (NewEvent | NewBytesEvent)[],
  query: { readonly expectedVersion?: number },
): { readonly events: readonly (NewEvent | NewBytesEvent)[]; readonly expectedVersion?: number } {
  return { events, ...query };
}
