/** Counts equal values of an import by their digests. */
export interface Occurrences {
  /** Returns how often the digest was added before. */
  add(digest: Uint8Array): number;
}

const FIRST_SLOTS = 1_024;

/** The share of slots in use at which the table doubles. */
const MAX_LOAD = 0.6;

/**
 * Creates an empty count. A `Map` would take over 100 bytes per line and could not hold the lines of a large file;
 * this open hash table takes 20 to 40. It keeps 52 bits of each digest: two different lines that share them only count
 * together, which changes no id but that of the second.
 */
export function createOccurrences(): Occurrences {
  let keys = new Float64Array(FIRST_SLOTS);
  let counts = new Uint32Array(FIRST_SLOTS);
  let used = 0;

  const slotOf = (key: number): number => {
    const mask = keys.length - 1;
    let slot = key % keys.length;
    while (keys[slot] !== 0 && keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  };

  const grow = (): void => {
    const [oldKeys, oldCounts] = [keys, counts];
    keys = new Float64Array(oldKeys.length * 2);
    counts = new Uint32Array(keys.length);
    for (const [index, key] of oldKeys.entries()) {
      if (key === 0) continue;
      const slot = slotOf(key);
      keys[slot] = key;
      counts[slot] = oldCounts[index] as number;
    }
  };

  return {
    add(digest) {
      const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
      // Zero is an empty slot.
      const key = view.getUint32(0) * 2 ** 20 + (view.getUint32(4) >>> 12) + 1;
      if (used >= keys.length * MAX_LOAD) grow();
      const slot = slotOf(key);
      if (keys[slot] === 0) {
        keys[slot] = key;
        used += 1;
      }
      const before = counts[slot] as number;
      counts[slot] = before + 1;
      return before;
    },
  };
}
