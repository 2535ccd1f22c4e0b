import { retryUntilAborted } from '@esdb-gater/primitives';
import { calculateDelay } from '@esdb-gater/retry';
import type { Broker, Clock, Logger } from '@esdb-gater/types';
import type { Channel } from '../channel.ts';
import { createLastValues, type LastValues, type LastValuesBounds } from './last-values.ts';

export interface LoadComponents {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly logger: Logger;
}

const RETRY = { baseDelayMs: 100, maxDelayMs: 5_000 };

/**
 * Loads the last values of a channel from the broker's history. Never rejects: a broker that cannot be read is tried
 * again until `signal` aborts.
 */
export async function loadLastValues(
  { broker, clock, logger }: LoadComponents,
  channel: Channel,
  signal: AbortSignal,
): Promise<void> {
  const { lastValues } = channel;
  if (lastValues === undefined) return;
  const read = async (): Promise<void> =>
    lastValues.addOlder(await readLast(broker, channel, lastValues.bounds, signal));
  await retryUntilAborted(read, {
    clock,
    signal,
    backoff: (failures) => calculateDelay(failures, RETRY),
    onFailure: (error, failures) => {
      // Logged once, since a broker may be unavailable for hours.
      const level = failures === 0 ? 'warn' : 'debug';
      logger[level]({ err: error, channel: channel.name }, 'cannot read the last values, retrying');
    },
  });
}

async function readLast(
  broker: Broker,
  channel: Channel,
  bounds: LastValuesBounds,
  signal: AbortSignal,
): Promise<LastValues> {
  const past = createLastValues(bounds);
  const { position } = await broker.resolve(channel.name, 'earliest');
  const until = await broker.position(channel.name);
  for await (const batch of broker.read(channel.name, position, until, { signal })) {
    for (const record of batch) if (channel.accepts(record)) past.set(record);
  }
  return past;
}
