import type { Gater } from '@esdb-gater/gater';
import { GaterError } from '@esdb-gater/types';

interface Stream {
  readonly storeId: string;
  readonly streamId: string;
}

/** The event up to which no timer waits: a start reads the stream only after it. */
export interface SettledMark {
  readonly version: number;
  readonly position: number;
  readonly id: string;
}

const SOURCE = 'esdb-gater-timers';

/** Returns the newest mark of a stream of timers; undefined when there is none. */
export async function readSettled(
  gater: Gater,
  { storeId, streamId }: Stream,
): Promise<SettledMark | undefined> {
  try {
    const found = await gater.readSnapshot({ storeId, sourceUuid: SOURCE, streamUuid: streamId });
    const { position, id } = found.record as { readonly position: number; readonly id: string };
    return { version: found.version, position, id };
  } catch (error) {
    if (GaterError.is(error, 'snapshot_not_found')) return undefined;
    throw error;
  }
}

/** Notes that no timer waits up to a version, and removes the older mark. */
export async function recordSettled(gater: Gater, stream: Stream, version: number): Promise<void> {
  const { events } = await gater.getEvents({ ...stream, startVersion: version, count: 1 });
  const event = events[0];
  if (event === undefined || event.version !== version) return;
  const place = { storeId: stream.storeId, sourceUuid: SOURCE, streamUuid: stream.streamId };
  const { snapshots } = await gater.listSnapshots({ ...place, count: 1 });
  await gater.recordSnapshot({ ...place, version, record: { position: event.position, id: event.id } });
  const older = snapshots[0];
  if (older !== undefined && older.version !== version) {
    await gater.deleteSnapshot({ ...place, version: older.version });
  }
}
