import { GaterError, invalidArgument } from '@esdb-gater/types';

export function subscriptionNotFound(storeId: string, name: string): GaterError {
  return new GaterError('subscription_not_found', `subscription ${JSON.stringify(name)} does not exist`, {
    details: { storeId, name },
  });
}

/** Makes the error of a caller whose type or selector is not that of the subscription. */
export function subscriptionMismatch(name: string): GaterError {
  return invalidArgument(
    'subscription_mismatch',
    `subscription ${JSON.stringify(name)} has another type or selector; remove it first, or use another name`,
    { name },
  );
}

/** Makes the error of an acknowledgement of an event that the subscription has not sent. */
export function notDelivered(streamId: string, eventNumber: number): GaterError {
  return invalidArgument(
    'not_delivered',
    `event ${eventNumber} of stream ${JSON.stringify(streamId)} was not delivered to this consumer`,
    { streamId, eventNumber },
  );
}

export function tooManySubscriptions(limit: number): GaterError {
  return invalidArgument(
    'too_many_subscriptions',
    `a store must have at most ${limit} persistent subscriptions of one maker`,
    { limit },
  );
}
