import { invalidArgument } from '@esdb-gater/types';
import type { RouteOptions } from 'fastify';
import { bodyMembers, parseJson } from '../body.ts';
import { bodyOf, requireJsonType, searchOf } from '../http-app.ts';
import { type HttpCalls, partsOf, sendJson } from '../http-calls.ts';
import { readQuery } from '../query.ts';

const SNAPSHOTS = '/v1/stores/:storeId/snapshots/:sourceUuid/:streamUuid';
const ONE = `${SNAPSHOTS}/:version`;
const NAMED_BY_PATH = ['storeId', 'sourceUuid', 'streamUuid', 'version'] as const;

/** Routes of snapshots: the list, and one snapshot by its version or `latest`. */
export function snapshotRoutes(calls: HttpCalls): RouteOptions[] {
  return [
    {
      method: 'GET',
      url: SNAPSHOTS,
      async handler(request, reply) {
        const { from, ...query } = readQuery(searchOf(request), { from: 'integer', count: 'integer' });
        const start = from === undefined ? {} : { startVersion: from };
        const params = { ...partsOf(request, 'storeId', 'sourceUuid', 'streamUuid'), ...query, ...start };
        return sendJson(reply, await calls.run(request, 'listSnapshots', params));
      },
    },
    {
      method: 'GET',
      url: ONE,
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
