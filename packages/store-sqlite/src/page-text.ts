import { eventTail, PageMeter } from '@esdb-gater/event-store';
import { utf8Bytes } from '@esdb-gater/primitives';
import type { StreamPart } from './event-row.ts';

/** Builds the JSON of a page of events. Its parts are joined once, at the end. */
export class PageText {
  readonly #meter: PageMeter;
  readonly #parts: string[] = ['{"events":['];
  #count = 0;

  /** @param bytes what earlier parts of the page have */
  constructor(bytes = 0) {
    this.#meter = new PageMeter(bytes);
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#meter.bytes;
  }

  /** Adds an event and returns true, or returns false when the page is full. */
  add(stream: StreamPart, text: string, epochUs: number): boolean {
    const tail = eventTail(epochUs);
    if (!this.#meter.take(stream.headBytes + utf8Bytes(text) + tail.length)) return false;
    if (this.#count > 0) this.#parts.push(',');
    this.#parts.push(stream.head, text, tail);
    this.#count += 1;
    return true;
  }

  /** Returns the page with the other members of the answer. */
  close(members: string): string {
    this.#parts.push(`],${members}}`);
    return this.#parts.join('');
  }
}
