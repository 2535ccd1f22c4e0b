import { GaterError } from '@esdb-gater/types';
import type { RouteOptions } from 'fastify';
import { bodyMembers, parseJson } from '../body.ts';
import { bodyOf, requireJsonType } from '../http-app.ts';
import { type HttpCalls, partsOf, sendJson } from '../http-calls.ts';

const SUBSCRIPTIONS = '/v1/stores/:storeId/subscriptions';

/** Routes of persistent subscriptions: list, create and remove. Their events are delivered over WebSocket. */
export function subscriptionRoutes(calls: HttpCalls): RouteOptions[] {
  return [
    {
      method: 'GET',
      url: SUBSCRIPTIONS,
      handler: async (request, reply) =>
        sendJson(reply, await calls.run(request, 'getSubscriptions', partsOf(request, 'storeId'))),
    },
    {
      method: 'PUT',
      url: `${SUBSCRIPTIONS}/:name`,
      async handler(request, reply) {
        requireJsonType(request);
        const body = bodyMembers(parseJson(bodyOf(request)), ['storeId', 'name']);
        const params = { ...body, ...partsOf(request, 'storeId', 'name') };
        return sendJson(reply, await calls.run(request, 'saveSubscription', params));
      },
    },
    {
      method: 'DELETE',
      url: `${SUBSCRIPTIONS}/:name`,
      handler: async (request, reply) =>
        sendJson(reply, await calls.run(request, 'removeSubscription', partsOf(request, 'storeId', 'name'))),
    },
    {
      method: 'GET',
      url: `${SUBSCRIPTIONS}/:name`,
      async handler(request, reply) {
        const { storeId, name } = partsOf(request, 'storeId', 'name');
        const { subscriptions } = await calls.run(request, 'getSubscriptions', { storeId });
        const found = subscriptions.find((one) => one.name === name);
        if (found === undefined) {
          throw new GaterError(
            'subscription_not_found',
            `subscription ${JSON.stringify(name)} does not exist, or its grant is missing`,
            { details: { storeId, name } },
          );
        }
        return sendJson(reply, found);
      },
    },
  ];
}
