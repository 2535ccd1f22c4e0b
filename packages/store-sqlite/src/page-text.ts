import { eventTail, PageMeter } from '@esdb-gater/event-store';
import { utf8Bytes } from '@esdb-gater/primitives';
import type { StreamPart } from './event-row.ts';

/** The JSON of a page of events, whose parts are put together once, at its end. */
export class PageText {
  readonly #meter = new PageMeter();
  readonly #parts: string[] = ['{"events":['];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Takes the event in, or says that the page is full. */
  add(stream: StreamPart, text: string, epochUs: number): boolean {
    const tail = eventTail(epochUs);
    if (!this.#meter.take(stream.headBytes + utf8Bytes(text) + tail.length)) return false;
    if (this.#count > 0) this.#parts.push(',');
    this.#parts.push(stream.head, text, tail);
    this.#count += 1;
    return true;
  }

  /** The page, with the other members of the answer. */
  close(members: string): string {
    this.#parts.push(`],${members}}`);
    return this.#parts.join('');
  }
}
