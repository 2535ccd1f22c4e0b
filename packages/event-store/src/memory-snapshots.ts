import type { StoredSnapshot } from './encode-snapshot.ts';

type SnapshotKey = Pick<StoredSnapshot, 'sourceUuid' | 'streamUuid'>;

/** Keeps the snapshots of the memory store: one per source, stream and version. */
export class MemorySnapshots {
  readonly #byStream = new Map<string, Map<number, StoredSnapshot>>();

  put(snapshot: StoredSnapshot): void {
    const key = keyOf(snapshot);
    const versions = this.#byStream.get(key) ?? new Map<number, StoredSnapshot>();
    this.#byStream.set(key, versions.set(snapshot.version, snapshot));
  }

  /** Newest first. */
  list(params: SnapshotKey): StoredSnapshot[] {
    const versions = this.#byStream.get(keyOf(params));
    return versions === undefined ? [] : [...versions.values()].sort((a, b) => b.version - a.version);
  }

  get(params: SnapshotKey, version: number | undefined): StoredSnapshot | undefined {
    if (version === undefined) return this.list(params)[0];
    return this.#byStream.get(keyOf(params))?.get(version);
  }

  /** Deletes one snapshot, or without a version all of them. */
  delete(params: SnapshotKey, version: number | undefined): boolean {
    const key = keyOf(params);
    if (version === undefined) return this.#byStream.delete(key);
    const versions = this.#byStream.get(key);
    const deleted = versions?.delete(version) ?? false;
    if (versions?.size === 0) this.#byStream.delete(key);
    return deleted;
  }
}

function keyOf({ sourceUuid, streamUuid }: SnapshotKey): string {
  return JSON.stringify([sourceUuid, streamUuid]);
}
