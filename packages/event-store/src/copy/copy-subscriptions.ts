import type { SubscriptionState } from '@esdb-gater/types';
import type { StoreCopySource } from './copy-ports.ts';

/** Parked events that are read at a time. */
const PAGE = 1_000;

/** Copies persistent subscriptions with their checkpoints and parked events. Returns how many there are. */
export async function copySubscriptions(
  source: StoreCopySource['subscriptions'],
  target: SubscriptionState,
): Promise<number> {
  const records = await source.list();
  for (const { parked: _, ...subscription } of records) {
    const { name, checkpoint } = subscription;
    if (!(await target.create(subscription))) await target.saveCheckpoint(name, checkpoint);
    for (const replaying of [false, true]) await copyParked(source, target, name, replaying);
  }
  return records.length;
}

async function copyParked(
  source: StoreCopySource['subscriptions'],
  target: SubscriptionState,
  name: string,
  replaying: boolean,
): Promise<void> {
  for (let after: number | undefined = 0; after !== undefined; ) {
    const { records, more } = await source.listParked(name, { replaying, after, limit: PAGE });
    for (const record of records) await target.park(name, record);
    const ids = records.map(({ eventId }) => eventId.toLowerCase());
    if (replaying && ids.length > 0) await target.markReplay(name, ids);
    after = more ? records.at(-1)?.position : undefined;
  }
}
