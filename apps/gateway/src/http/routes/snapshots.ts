import { invalidArgument } from '@esdb-gater/types';
import type { RouteOptions } from 'fastify';
import { bodyMembers, parseJson } from '../body.ts';
import { described } from '../describe/operation.ts';
import { bodyOf, requireJsonType, searchOf } from '../http-app.ts';
import { type HttpCalls, partsOf, sendJson } from '../http-calls.ts';
import { readQuery } from '../query.ts';

const SNAPSHOTS = '/v1/stores/:storeId/snapshots/:sourceUuid/:streamUuid';
const ONE = `${SNAPSHOTS}/:version`;
const LIST_QUERY = { from: 'integer', count: 'integer' } as const;
const VERSION = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;
const NAMED_BY_PATH = ['storeId', 'sourceUuid', 'streamUuid', 'version'] as const;

/** Routes of snapshots: the list, and one snapshot by its version or `latest`. */
export function snapshotRoutes(calls: HttpCalls): RouteOptions[] {
  return [
    {
      method: 'GET',
      url: SNAPSHOTS,
      config: {
        operation: {
          id: 'listSnapshots',
          tag: 'Snapshots',
          method: 'listSnapshots',
          query: described<typeof LIST_QUERY>({ from: 'startVersion', count: 'count' }),
          answers: { 200: { description: 'A page; `next` is the `from` of the following one.' } },
        },
      },
      async handler(request, reply) {
        const { from, ...query } = readQuery(searchOf(request), LIST_QUERY);
        const start = from === undefined ? {} : { startVersion: from };
        const params = { ...partsOf(request, 'storeId', 'sourceUuid', 'streamUuid'), ...query, ...start };
        return sendJson(reply, await calls.run(request, 'listSnapshots', params));
      },
    },
    {
      method: 'GET',
      url: ONE,
      config: {
        operation: {
          id: 'readSnapshot',
          tag: 'Snapshots',
          method: 'readSnapshot',
          path: {
            version: { anyOf: [VERSION, { enum: ['latest'] }], description: 'a version, or `latest`' },
          },
          answers: { 200: { description: 'The snapshot.' } },
          errors: ['snapshot_not_found'],
        },
      },
      async handler(request, reply) {
        readQuery(searchOf(request), {});
        const { version, ...snapshot } = partsOf(request, ...NAMED_BY_PATH);
        const params = version === 'latest' ? snapshot : { ...snapshot, version: versionOf(version) };
        return sendJson(reply, await calls.run(request, 'readSnapshot', params));
      },
    },
    {
      method: 'PUT',
      url: ONE,
      config: {
        operation: {
          id: 'recordSnapshot',
          tag: 'Snapshots',
          method: 'recordSnapshot',
          path: { version: VERSION },
          body: true,
          answers: { 200: { description: 'The snapshot is written.' } },
        },
      },
      async handler(request, reply) {
        requireJsonType(request);
        readQuery(searchOf(request), {});
        const { version, ...snapshot } = partsOf(request, ...NAMED_BY_PATH);
        const body = bodyMembers(parseJson(bodyOf(request)), NAMED_BY_PATH);
        const params = { ...body, ...snapshot, version: versionOf(version) };
        return sendJson(reply, await calls.run(request, 'recordSnapshot', params));
      },
    },
    {
      method: 'DELETE',
      url: ONE,
      config: {
        operation: {
          id: 'deleteSnapshot',
          tag: 'Snapshots',
          method: 'deleteSnapshot',
          path: { version: VERSION },
          answers: { 200: { description: '`deleted` is false when there was none.' } },
        },
      },
      async handler(request, reply) {
        readQuery(searchOf(request), {});
        const { version, ...snapshot } = partsOf(request, ...NAMED_BY_PATH);
        return sendJson(
          reply,
          await calls.run(request, 'deleteSnapshot', { ...snapshot, version: versionOf(version) }),
        );
      },
    },
  ];
}

function versionOf(text: string): number {
  if (/^\d{1,16}$/.test(text)) return Number(text);
  throw invalidArgument(
    'schema',
    `the version in the path must be an integer, got ${JSON.stringify(text.slice(0, 40))}`,
    {
      path: '/version',
    },
  );
}
