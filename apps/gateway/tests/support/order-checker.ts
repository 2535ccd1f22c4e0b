import { expect } from 'vitest';

/** Holds the events that consumers of a subscription got and acknowledged against what it promises. */
export class OrderChecker {
  /** By stream, the versions that were acknowledged. */
  readonly #acknowledged = new Map<string, Set<number>>();
  /** By stream, the highest version that was ever delivered. */
  readonly #highest = new Map<string, number>();
  /** Streams and versions that were refused, until they come again. */
  readonly #refused = new Map<string, number>();
  readonly faults: string[] = [];
  redelivered = 0;

  get count(): number {
    let count = 0;
    for (const versions of this.#acknowledged.values()) count += versions.size;
    return count;
  }

  delivered(streamId: string, version: number): void {
    const highest = this.#highest.get(streamId) ?? -1;
    if (version > highest + 1) this.faults.push(`${streamId}/${version} came before ${highest + 1}`);
    const refused = this.#refused.get(streamId);
    if (refused !== undefined && version > refused) {
      this.faults.push(`${streamId}/${version} came after ${refused} was refused, and before it came again`);
    }
    if (refused === version) this.#refused.delete(streamId);
    if (version <= highest) this.redelivered += 1;
    this.#highest.set(streamId, Math.max(highest, version));
  }

  refused(streamId: string, version: number): void {
    this.#refused.set(streamId, Math.min(version, this.#refused.get(streamId) ?? version));
  }

  acknowledged(streamId: string, version: number): void {
    const versions = this.#acknowledged.get(streamId) ?? new Set();
    this.#acknowledged.set(streamId, versions.add(version));
  }

  /** Asserts that all events of so many streams are there. */
  isComplete(streams: number, perStream: number): void {
    expect(this.faults).toEqual([]);
    expect(this.#acknowledged.size).toBe(streams);
    for (const [streamId, versions] of this.#acknowledged) {
      expect(versions.size, streamId).toBe(perStream);
    }
  }
}
