import type { AnyEvent, CallOptions, Gater } from '@esdb-gater/gater';
import { GaterError } from '@esdb-gater/types';
import { derivedId } from '../derived-id.ts';

/** What identifies an event in its stream. */
interface SeenEvent {
  readonly id: string;
  readonly version: number;
  readonly position: number;
}

/** The append of a command that was handled before. */
export interface AppendOfCommand {
  /** Of the last event. */
  readonly version: number;
  /** Of the last event. */
  readonly position: number;
  readonly count: number;
}

/** Recognises the events of a command among the events of its stream, by their derived ids. */
export class EarlierAppend {
  readonly #commandId: string;
  #nextId: string;
  #count = 0;
  #last: SeenEvent | undefined;

  constructor(commandId: string) {
    this.#commandId = commandId;
    this.#nextId = derivedId(commandId, 0);
  }

  /** Looks at an event. Events must come in the order of versions; those that were seen before do no harm. */
  observe(event: SeenEvent): void {
    if (event.id !== this.#nextId) return;
    this.#last = event;
    this.#count += 1;
    this.#nextId = derivedId(this.#commandId, this.#count);
  }

  get found(): AppendOfCommand | undefined {
    if (this.#last === undefined) return undefined;
    return { version: this.#last.version, position: this.#last.position, count: this.#count };
  }

  /** Looks for the events of the command at and before a version, newest first. */
  async search<E extends AnyEvent, A extends AnyEvent>(
    gater: Gater<E, A>,
    stream: { readonly storeId: string; readonly streamId: string },
    upTo: number,
    options: CallOptions,
  ): Promise<AppendOfCommand | undefined> {
    const first = derivedId(this.#commandId, 0);
    let next: number | undefined = upTo;
    try {
      while (next !== undefined) {
        const page = await gater.streamBackward({ ...stream, startVersion: next, count: 1_000 }, options);
        const found = page.events.find(({ id }) => id === first);
        if (found !== undefined) {
          const rest = await gater.getEvents(
            { ...stream, startVersion: found.version, count: 1_000 },
            options,
          );
          for (const event of rest.events) this.observe(event);
          return this.found;
        }
        next = page.next;
      }
    } catch (error) {
      if (!GaterError.is(error, 'stream_not_found') && !GaterError.is(error, 'stream_deleted')) throw error;
    }
    return undefined;
  }
}
