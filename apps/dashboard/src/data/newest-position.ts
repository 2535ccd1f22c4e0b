import type { RemoteGater } from '@esdb-gater/client';

/** Returns the position of the newest event of a store, 0 when it has none. */
export async function newestPosition(
  client: RemoteGater,
  storeId: string,
  signal: AbortSignal,
): Promise<number> {
  const { lastPosition } = await client.readAll(
    { storeId, after: Number.MAX_SAFE_INTEGER, limit: 1 },
    { signal },
  );
  return lastPosition;
}
