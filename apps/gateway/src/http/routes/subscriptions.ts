import { METHOD_SCHEMAS } from '@esdb-gater/protocol';
import { GaterError } from '@esdb-gater/types';
import type { RouteOptions } from 'fastify';
import { bodyMembers, parseJson } from '../body.ts';
import { content, memberOf } from '../describe/operation.ts';
import { bodyOf, requireJsonType } from '../http-app.ts';
import { type HttpCalls, partsOf, sendJson } from '../http-calls.ts';

const SUBSCRIPTIONS = '/v1/stores/:storeId/subscriptions';

const NAME = memberOf(METHOD_SCHEMAS.saveSubscription.params, 'name');
const SUBSCRIPTION = memberOf(METHOD_SCHEMAS.saveSubscription.result, 'subscription');

/** Routes of persistent subscriptions: list, create and remove. Their events are delivered over WebSocket. */
export function subscriptionRoutes(calls: HttpCalls): RouteOptions[] {
  return [
    {
      method: 'GET',
      url: SUBSCRIPTIONS,
      config: {
        operation: {
          id: 'getSubscriptions',
          tag: 'Subscriptions',
          method: 'getSubscriptions',
          answers: { 200: { description: 'The subscriptions.' } },
        },
      },
      handler: async (request, reply) =>
        sendJson(reply, await calls.run(request, 'getSubscriptions', partsOf(request, 'storeId'))),
    },
    {
      method: 'PUT',
      url: `${SUBSCRIPTIONS}/:name`,
      config: {
        operation: {
          id: 'saveSubscription',
          tag: 'Subscriptions',
          method: 'saveSubscription',
          summary: 'Makes a persistent subscription, or returns the existing one.',
          body: true,
          // The same name with another selector is refused.
          varies: true,
          answers: { 200: { description: 'The subscription.' } },
        },
      },
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
      config: {
        operation: {
          id: 'removeSubscription',
          tag: 'Subscriptions',
          method: 'removeSubscription',
          answers: { 200: { description: '`removed` is false when there was none.' } },
        },
      },
      handler: async (request, reply) =>
        sendJson(reply, await calls.run(request, 'removeSubscription', partsOf(request, 'storeId', 'name'))),
    },
    {
      method: 'GET',
      url: `${SUBSCRIPTIONS}/:name`,
      config: {
        operation: {
          id: 'getSubscription',
          tag: 'Subscriptions',
          method: 'getSubscriptions',
          summary: 'One persistent subscription of a store.',
          path: { name: NAME },
          answers: {
            200: { description: 'The subscription.', content: content('application/json', SUBSCRIPTION) },
          },
          errors: ['subscription_not_found'],
        },
      },
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
