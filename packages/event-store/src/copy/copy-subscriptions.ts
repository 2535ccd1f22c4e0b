import { isDeepStrictEqual } from 'node:util';
import { isFurther } from '@esdb-gater/primitives';
import {
  invalidArgument,
  type NewSubscription,
  type ParkedRecord,
  type SubscriptionRecord,
  type SubscriptionState,
} from '@esdb-gater/types';
import { compareLists, differs, type ReadPage } from './compare-lists.ts';
import type { StoreCopySource } from './copy-ports.ts';

type SubscriptionSource = StoreCopySource['subscriptions'];

/** Parked events that are read at a time. */
const PAGE = 1_000;

/**
 * Copies persistent subscriptions with their checkpoints and parked events, and removes from the target what the source has
 * no longer. Returns how many there are.
 *
 * @throws `invalid_argument` (reason `target`) when a subscription of the target was consumed since the last copy
 */
export async function copySubscriptions(
  source: SubscriptionSource,
  target: SubscriptionState,
): Promise<number> {
  const wanted = await source.list();
  const present = new Map((await target.list()).map((record) => [record.name, record]));
  for (const record of wanted) checkUnused(record, present.get(record.name));
  for (const name of present.keys()) await target.remove(name);
  for (const record of wanted) {
    await target.create(definitionOf(record));
    for (const replaying of [false, true]) await copyParked(source, target, record.name, replaying);
  }
  return wanted.length;
}

/** @throws `invalid_argument` (reason `target`) when the subscriptions are not the same */
export async function compareSubscriptions(
  source: SubscriptionSource,
  target: SubscriptionSource,
): Promise<void> {
  const records = await source.list();
  if (!isDeepStrictEqual(records, await target.list())) throw differs('the subscriptions are not the same');
  for (const { name } of records) {
    for (const replaying of [false, true]) {
      await compareLists(
        `parked events of the subscription ${name}`,
        parkedPages(source, name, replaying),
        parkedPages(target, name, replaying),
      );
    }
  }
}

/** A checkpoint that is further than that of the source was reached by a consumer of the target. */
function checkUnused(wanted: SubscriptionRecord, present: SubscriptionRecord | undefined): void {
  if (present === undefined || !isFurther(present.checkpoint, wanted.checkpoint)) return;
  const [one, other] = [definitionOf(wanted), definitionOf(present)];
  // One that was removed from the source and made anew counts as another one.
  if (!isDeepStrictEqual({ ...one, checkpoint: 0 }, { ...other, checkpoint: 0 })) return;
  throw invalidArgument(
    'target',
    `the subscription ${wanted.name} of the target is at position ${present.checkpoint.position}, further than that of the source: somebody consumes it there`,
  );
}

function definitionOf({ parked: _, ...subscription }: SubscriptionRecord): NewSubscription {
  return subscription;
}

async function copyParked(
  source: SubscriptionSource,
  target: SubscriptionState,
  name: string,
  replaying: boolean,
): Promise<void> {
  const pages = parkedPages(source, name, replaying);
  for (let page = await pages(undefined); page.length > 0; page = await pages(page.at(-1))) {
    for (const record of page) await target.park(name, record);
    if (replaying)
      await target.markReplay(
        name,
        page.map(({ eventId }) => eventId.toLowerCase()),
      );
  }
}

function parkedPages(source: SubscriptionSource, name: string, replaying: boolean): ReadPage<ParkedRecord> {
  return async (last) => {
    const filter = { replaying, after: last?.position ?? 0, limit: PAGE };
    return (await source.listParked(name, filter)).records;
  };
}
