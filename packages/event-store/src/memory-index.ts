import type { EncodedEvent } from './encode-event.ts';
import { type PositionIndex, type PositionList, SortedPositions } from './matching/position-list.ts';

/** The positions of the memory store's events, by type and by tag. */
export class MemoryIndex implements PositionIndex {
  readonly #byType = new Map<string, number[]>();
  readonly #byTag = new Map<string, number[]>();

  add({ type, tagList }: Pick<EncodedEvent, 'type' | 'tagList'>, position: number): void {
    addTo(this.#byType, type, position);
    for (const tag of new Set(tagList)) addTo(this.#byTag, tag, position);
  }

  ofType(type: string): PositionList {
    return new SortedPositions(this.#byType.get(type) ?? []);
  }

  ofTag(tag: string): PositionList {
    return new SortedPositions(this.#byTag.get(tag) ?? []);
  }
}

function addTo(lists: Map<string, number[]>, name: string, position: number): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [position]);
  else list.push(position);
}
