import { GaterError, type RecordedEvent } from '@esdb-gater/types';
import type { SubscribedStore } from './subscribed-store.ts';

/**
 * Returns whether an event that is not in the delivery window was sent at some time: one that the stream had, and that
 * `qualifies`. An event that a delete hid counts, as it may have been sent before.
 *
 * Costs one read of the store.
 */
export async function wasSent(
  store: SubscribedStore,
  { streamId, eventNumber }: { readonly streamId: string; readonly eventNumber: number },
  qualifies: (event: RecordedEvent) => boolean,
): Promise<boolean> {
  const { storeId } = store;
  try {
    const page = await store.getEvents({ storeId, streamId, startVersion: eventNumber, count: 1 });
    const [event] = page.events;
    return event?.version === eventNumber ? qualifies(event) : page.version >= eventNumber;
  } catch (error) {
    if (GaterError.is(error, 'stream_deleted')) return Number(error.details['version']) >= eventNumber;
    if (GaterError.is(error, 'stream_not_found')) return false;
    throw error;
  }
}
