import type { Broker } from '@esdb-gater/types';
import type { Channel } from '../channel.ts';
import { createLastValues } from './last-values.ts';

/** Fills the last values of a channel with what the broker still has from before. */
export async function warmLastValues(broker: Broker, channel: Channel, signal: AbortSignal): Promise<void> {
  const { name, lastValues } = channel;
  if (lastValues === undefined) return;
  const { position } = await broker.resolve(name, 'earliest');
  const until = await broker.position(name);
  const past = createLastValues(lastValues.maxTopics);
  for await (const batch of broker.read(name, position, until, { signal })) {
    for (const record of batch) if (channel.accepts(record)) past.set(record);
  }
  lastValues.warm(past);
}
