import { compareUtf8 } from '@esdb-gater/primitives';
import { MISSING_STREAM, type StreamState } from './stream-state.ts';

/** A stream of the memory store. `positions[version]` is the position of that event. */
interface MemoryStream extends StreamState {
  version: number;
  hiddenThrough: number;
  readonly positions: number[];
}

/** Keeps the streams of the memory store, by name and in the order of UTF-8 bytes. */
export class MemoryStreams {
  readonly #byName = new Map<string, MemoryStream>();
  readonly #sorted: string[] = [];

  state(name: string): StreamState {
    return this.#byName.get(name) ?? MISSING_STREAM;
  }

  add(name: string, position: number): void {
    let stream = this.#byName.get(name);
    if (stream === undefined) {
      stream = { version: -1, hiddenThrough: -1, positions: [] };
      this.#byName.set(name, stream);
      this.#sorted.splice(this.#firstAtOrAfter(name), 0, name);
    }
    stream.version = stream.positions.push(position) - 1;
  }

  hide(name: string): void {
    const stream = this.#byName.get(name);
    if (stream !== undefined) stream.hiddenThrough = stream.version;
  }

  position(name: string, version: number): number {
    const position = this.#byName.get(name)?.positions[version];
    if (position === undefined) throw new RangeError(`version ${version} of ${name} does not exist`);
    return position;
  }

  /** Yields the names after `after` (exclusive) that begin with `prefix`, in order. */
  *names(prefix: string, after: string | undefined): Generator<string> {
    let index = this.#firstAtOrAfter(prefix);
    if (after !== undefined && compareUtf8(after, prefix) >= 0) {
      index = this.#firstAtOrAfter(after);
      if (this.#sorted[index] === after) index += 1;
    }
    for (; index < this.#sorted.length; index += 1) {
      const name = this.#sorted[index] as string;
      if (!name.startsWith(prefix)) return;
      yield name;
    }
  }

  #firstAtOrAfter(name: string): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareUtf8(this.#sorted[middle] as string, name) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
