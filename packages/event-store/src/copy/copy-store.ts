import { isDeepStrictEqual } from 'node:util';
import { type GaterError, invalidArgument, type RecordedEvent } from '@esdb-gater/types';
import type { StoredSnapshot } from '../encode-snapshot.ts';
import { compareLists, differs } from './compare-lists.ts';
import type { HiddenStream, StoreCopySource, StoreCopyTarget } from './copy-ports.ts';
import { copySnapshots } from './copy-snapshots.ts';
import { compareSubscriptions, copySubscriptions } from './copy-subscriptions.ts';

/** How far a copy has come. */
export interface StoreCopyProgress {
  readonly phase: 'copying' | 'verifying';
  /** A position of the source. */
  readonly done: number;
  /** The newest position of the source. */
  readonly total: number;
}

export interface CopyStoreOptions {
  readonly onProgress?: (progress: StoreCopyProgress) => void;
  /** Ends the copying between two pages. The same call goes on from there. */
  readonly signal?: AbortSignal;
}

/** What a copy has. */
export interface CopiedStore {
  /** The newest position. */
  readonly position: number;
  /** The position after which this call has copied: above 0, it went on with an earlier one. */
  readonly resumedAfter: number;
  readonly hiddenStreams: number;
  readonly snapshots: number;
  readonly subscriptions: number;
}

/**
 * Copies a store to another engine: events with their ids, versions, positions and times, deletions, snapshots, subscriptions and
 * the position of the feed. A copy that was interrupted goes on where it stopped, and one of a store that has grown since
 * is brought up to date. In the end everything is read back and compared.
 *
 * @throws `invalid_argument` (reason `target`) when the target has other events, is used meanwhile, or differs in the end; the
 * signal's reason
 */
export async function copyStore(
  source: StoreCopySource,
  target: StoreCopyTarget,
  options: CopyStoreOptions = {},
): Promise<CopiedStore> {
  const resumedAfter = await target.newestPosition();
  const total = await source.newestPosition();
  await checkSamePast(source, target, resumedAfter, total);
  await eachPage(source, resumedAfter, total, options, 'copying', (page, after) => target.write(page, after));
  const hiddenStreams = await copyHidden(source, target);
  const snapshots = await copySnapshots(source, target);
  const subscriptions = await copySubscriptions(source.subscriptions, target.subscriptions);
  await target.saveFeedPosition(await source.feedPosition());
  await compareCopies(source, target, options);
  return { position: total, resumedAfter, hiddenStreams, snapshots, subscriptions };
}

/** Refuses a target whose events are not those of the source. */
async function checkSamePast(
  source: StoreCopySource,
  target: StoreCopyTarget,
  resumedAfter: number,
  total: number,
): Promise<void> {
  if (resumedAfter === 0) return;
  if (resumedAfter > total) {
    throw otherEvents(`it has events up to position ${resumedAfter}, the source only up to ${total}`);
  }
  const [theirs] = await source.readAfter(resumedAfter - 1);
  const [ours] = await target.readAfter(resumedAfter - 1);
  if (!isSame(theirs, ours)) throw otherEvents(`its event at position ${resumedAfter} is another one`);
}

async function eachPage(
  store: StoreCopySource,
  after: number,
  total: number,
  { onProgress, signal }: CopyStoreOptions,
  phase: StoreCopyProgress['phase'],
  use: (page: readonly RecordedEvent[], after: number) => Promise<void>,
): Promise<void> {
  for (let done = after; done < total; ) {
    signal?.throwIfAborted();
    onProgress?.({ phase, done, total });
    // What came after the beginning is left to the next copy.
    const page = (await store.readAfter(done)).filter(({ position }) => position <= total);
    const last = page.at(-1)?.position;
    if (last === undefined) throw differs(`the events after position ${done} are missing`);
    await use(page, done);
    done = last;
  }
  onProgress?.({ phase, done: total, total });
}

async function copyHidden(source: StoreCopySource, target: StoreCopyTarget): Promise<number> {
  let count = 0;
  for (let after = ''; ; ) {
    const page = await source.hiddenStreams(after);
    const last = page.at(-1);
    if (last === undefined) return count;
    await target.hide(page);
    count += page.length;
    after = last.streamId;
  }
}

/**
 * Reads everything that both stores keep, and compares it.
 *
 * @throws `invalid_argument` (reason `target`) that names what differs; the signal's reason
 */
export async function compareCopies(
  source: StoreCopySource,
  target: StoreCopySource,
  options: CopyStoreOptions = {},
): Promise<void> {
  const total = await source.newestPosition();
  let copied: readonly RecordedEvent[] = [];
  await eachPage(source, 0, total, options, 'verifying', async (page) => {
    for (const event of page) {
      if (copied.length === 0) copied = await target.readAfter(event.position - 1);
      const [ours, ...rest] = copied;
      if (!isSame(event, ours)) throw differs(`the event at position ${event.position} is not the same`);
      copied = rest;
    }
  });
  await compareLists<HiddenStream>(
    'deleted streams',
    (last) => source.hiddenStreams(last?.streamId ?? ''),
    (last) => target.hiddenStreams(last?.streamId ?? ''),
  );
  await compareLists<StoredSnapshot>(
    'snapshots',
    (last) => source.snapshots(last),
    (last) => target.snapshots(last),
  );
  await compareSubscriptions(source.subscriptions, target.subscriptions);
  const [theirs, ours] = [await source.feedPosition(), await target.feedPosition()];
  if (!isDeepStrictEqual(theirs, ours)) {
    throw differs(`the feed is at position ${ours.position}, that of the source at ${theirs.position}`);
  }
}

/** Compares all but the ids of the stores. */
function isSame(one: RecordedEvent | undefined, other: RecordedEvent | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return isDeepStrictEqual({ ...one, storeId: '' }, { ...other, storeId: '' });
}

function otherEvents(why: string): GaterError {
  return invalidArgument('target', `the target is not a copy of the source: ${why}`);
}
