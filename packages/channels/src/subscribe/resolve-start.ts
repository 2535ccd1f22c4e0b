import { createTopicMatcher } from '@esdb-gater/primitives';
import type { Broker, BrokerRecord, SubscribeFrom, SubscribeResult } from '@esdb-gater/types';
import type { Channel } from '../channel.ts';

/** Where a subscription begins. */
export interface Start {
  /** The answer to `subscribe`. */
  readonly result: SubscribeResult;
  /** True when nothing is to be replayed. */
  readonly live: boolean;
  /** What a replay sends before the history. */
  readonly first: readonly BrokerRecord[];
}

export interface StartComponents {
  readonly broker: Broker;
  readonly warmed: () => Promise<void>;
}

/** True when a subscription begins with what is new, and replays nothing. */
export function beginsLive({ lastValues }: Channel, from: SubscribeFrom): boolean {
  return from === 'latest' && lastValues === undefined;
}

/**
 * Finds out what `from` needs, and resolves to a function that gives the start, to be called in the turn in which the
 * subscription begins. `latest` begins after everything that the broker had accepted before the call.
 *
 * @throws `invalid_argument` (reasons `position_malformed`, `position_lost`), and what the broker throws
 */
export async function resolveStart(
  { broker, warmed }: StartComponents,
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
  await warmed();
  const known = broker.tailPosition(name) ?? (await broker.position(name));
  return () => ({
    result: { position: broker.tailPosition(name) ?? known },
    live: false,
    first: lastValues.matching(createTopicMatcher(topic)),
  });
}
