import { createTopicMatcher } from '@esdb-gater/primitives';
import type { Broker, BrokerRecord, SubscribeFrom, SubscribeResult } from '@esdb-gater/types';
import type { Channel } from '../channel.ts';

/** Where a subscription starts. */
export interface Start {
  /** The answer to `subscribe`. */
  readonly result: SubscribeResult;
  /** True when there are no messages to replay. */
  readonly live: boolean;
  /** Records that the replay sends before the history. */
  readonly first: readonly BrokerRecord[];
}

export interface StartComponents {
  readonly broker: Broker;
  readonly lastValuesLoaded: () => Promise<void>;
}

/** Returns true when a subscription starts live without a replay. */
export function startsLive({ lastValues }: Channel, from: SubscribeFrom): boolean {
  return from === 'latest' && lastValues === undefined;
}

/**
 * Resolves `from` to a function that returns the start; call it in the turn in which the subscription starts. `latest`
 * starts after everything that the broker had accepted before the call.
 *
 * @throws `invalid_argument` (reasons `position_malformed`, `position_lost`), and the errors of the broker
 */
export async function resolveStart(
  { broker, lastValuesLoaded }: StartComponents,
  channel: Channel,
  topic: string,
  from: SubscribeFrom,
): Promise<() => Start> {
  const { name, lastValues } = channel;
  if (from !== 'latest') {
    const { position, lost } = await broker.resolve(name, from);
    const result = lost === true ? { position, lost } : { position };
    return () => ({ result, live: false, first: [] });
  }
  if (lastValues === undefined) {
    const position = await broker.position(name);
    return () => ({ result: { position }, live: true, first: [] });
  }
  await lastValuesLoaded();
  const known = broker.tailPosition(name) ?? (await broker.position(name));
  return () => ({
    result: { position: broker.tailPosition(name) ?? known },
    live: false,
    first: lastValues.matching(createTopicMatcher(topic)),
  });
}
