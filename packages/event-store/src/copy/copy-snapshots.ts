import { compareUtf8 } from '@esdb-gater/primitives';
import type { StoredSnapshot } from '../encode-snapshot.ts';
import { itemsOf } from './compare-lists.ts';
import type { SnapshotKey, StoreCopySource, StoreCopyTarget } from './copy-ports.ts';

/** Snapshots that are removed at a time. */
const REMOVED_AT_ONCE = 1_000;

/** Copies all snapshots, and removes from the target what the source has no longer. Returns how many there are. */
export async function copySnapshots(source: StoreCopySource, target: StoreCopyTarget): Promise<number> {
  await removeOthers(source, target);
  let count = 0;
  for (
    let page = await source.snapshots(undefined);
    page.length > 0;
    page = await source.snapshots(page.at(-1))
  ) {
    await target.putSnapshots(page);
    count += page.length;
  }
  return count;
}

/** Removes the snapshots of an earlier copy that were deleted since. Both lists are in the same order. */
async function removeOthers(source: StoreCopySource, target: StoreCopyTarget): Promise<void> {
  const theirs = itemsOf<StoredSnapshot>((last) => source.snapshots(last));
  let wanted = await theirs.next();
  let others: SnapshotKey[] = [];
  for await (const present of itemsOf<StoredSnapshot>((last) => target.snapshots(last))) {
    while (wanted.done !== true && compareKeys(wanted.value, present) < 0) wanted = await theirs.next();
    if (wanted.done !== true && compareKeys(wanted.value, present) === 0) continue;
    const { sourceUuid, streamUuid, version } = present;
    others.push({ sourceUuid, streamUuid, version });
    if (others.length < REMOVED_AT_ONCE) continue;
    await target.removeSnapshots(others);
    others = [];
  }
  if (others.length > 0) await target.removeSnapshots(others);
}

function compareKeys(one: SnapshotKey, other: SnapshotKey): number {
  return (
    compareUtf8(one.sourceUuid, other.sourceUuid) ||
    compareUtf8(one.streamUuid, other.streamUuid) ||
    one.version - other.version
  );
}
