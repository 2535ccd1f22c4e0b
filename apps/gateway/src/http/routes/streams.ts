import type { NewBytesEvent, NewEvent } from '@esdb-gater/types';
import type { RouteOptions } from 'fastify';
import { bodyMembers, parseJson } from '../body.ts';
import { cloudEventsOf } from '../cloud-events-body.ts';
import { bodyOf, requireJsonType, searchOf } from '../http-app.ts';
import { type HttpCalls, partsOf, sendJson } from '../http-calls.ts';
import { readQuery } from '../query.ts';

const STREAMS = '/v1/stores/:storeId/streams';

/** Routes of streams, their events, and the events of a whole store. */
export function streamRoutes(calls: HttpCalls): RouteOptions[] {
  return [
    {
      method: 'POST',
      url: `${STREAMS}/:streamId/events`,
      async handler(request, reply) {
        const path = partsOf(request, 'storeId', 'streamId');
        const cloudEvents = cloudEventsOf(request);
        if (cloudEvents === undefined) requireJsonType(request);
        const params =
          cloudEvents === undefined
            ? bodyMembers(parseJson(bodyOf(request)), ['storeId', 'streamId'])
            : withVersion(cloudEvents, readQuery(searchOf(request), { expectedVersion: 'integer' }));
        if (cloudEvents === undefined) readQuery(searchOf(request), {});
        const result = await calls.run(request, 'appendEvents', { ...params, ...path });
        return sendJson(reply, result, result.duplicate ? 200 : 201);
      },
    },
    {
      method: 'GET',
      url: `${STREAMS}/:streamId/events`,
      async handler(request, reply) {
        const { from, ...query } = readQuery(searchOf(request), {
          from: 'integer',
          count: 'integer',
          direction: 'text',
        });
        const params = { ...partsOf(request, 'storeId', 'streamId'), ...query };
        const start = from === undefined ? {} : { startVersion: from };
        return sendJson(reply, await calls.run(request, 'getEvents', { ...params, ...start }));
      },
    },
    {
      method: 'GET',
      url: STREAMS,
      async handler(request, reply) {
        const query = readQuery(searchOf(request), { prefix: 'text', after: 'text', limit: 'integer' });
        return sendJson(
          reply,
          await calls.run(request, 'getStreams', { ...partsOf(request, 'storeId'), ...query }),
        );
      },
    },
    {
      method: 'GET',
      url: `${STREAMS}/:streamId`,
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
      async handler(request, reply) {
        const query = readQuery(searchOf(request), { expectedVersion: 'integer' });
        const params = { ...partsOf(request, 'storeId', 'streamId'), ...query };
        return sendJson(reply, await calls.run(request, 'deleteStream', params));
      },
    },
    {
      method: 'GET',
      url: '/v1/stores/:storeId/events',
      async handler(request, reply) {
        const { types, tags, ...page } = readQuery(searchOf(request), {
          after: 'integer',
          limit: 'integer',
          types: 'texts',
          tags: 'texts',
        });
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

function withVersion(
  events: readonly (NewEvent | NewBytesEvent)[],
  query: { readonly expectedVersion?: number },
): { readonly events: readonly (NewEvent | NewBytesEvent)[]; readonly expectedVersion?: number } {
  return { events, ...query };
}
