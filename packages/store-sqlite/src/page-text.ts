import { eventHead, eventTail, PageMeter, utf8Bytes } from '@esdb-gater/event-store';

/** The JSON of a page of events, whose parts are put together once, at its end. */
export class PageText {
  readonly #meter = new PageMeter();
  readonly #parts: string[] = ['{"events":['];
  readonly #head: string;
  #count = 0;

  constructor(storeId: string) {
    this.#head = eventHead(storeId);
  }

  get count(): number {
    return this.#count;
  }

  /** Takes the event in, or says that the page is full. */
  add(core: string, epochUs: number): boolean {
    const tail = eventTail(epochUs);
    if (!this.#meter.take(utf8Bytes(core) + this.#head.length + tail.length)) return false;
    this.#parts.push(this.#count === 0 ? this.#head : `,${this.#head}`, core, tail);
    this.#count += 1;
    return true;
  }

  /** The page, with the other members of the answer. */
  close(members: string): string {
    this.#parts.push(`],${members}}`);
    return this.#parts.join('');
  }
}
