import type { RemoteGater } from '@esdb-gater/client';
import type { Subscription } from '@esdb-gater/types';

/** How long the subscription may take to deliver what was parked. */
const WAIT_MS = 10_000;

/**
 * Leaves parked events out for good. The protocol skips an event only where it was delivered, so that this joins the subscription
 * for a moment, lets it replay the events, and refuses each with `skip`. What else is delivered meanwhile goes back unanswered.
 * It is meant for a subscription without consumers: with others there, they may be the ones that get the events.
 *
 * @returns how many events were skipped
 */
export async function skipParked(
  client: RemoteGater,
  { storeId, name, type, selector }: Pick<Subscription, 'storeId' | 'name' | 'type' | 'selector'>,
  ids: readonly string[],
): Promise<number> {
  const open = new Set(ids);
  const signal = AbortSignal.timeout(WAIT_MS);
  const { count } = await client.replayParked({ storeId, name, ids });
  const delivered = await client.saveSubscription({ storeId, name, type, selector }, { signal });
  let skipped = 0;
  try {
    if (count === 0) return 0;
    for await (const { event, nack } of delivered) {
      if (!open.delete(event.id)) continue;
      await nack({ action: 'skip' });
      skipped += 1;
      if (open.size === 0 || skipped === count) break;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await delivered.unsubscribe();
  }
  return skipped;
}
