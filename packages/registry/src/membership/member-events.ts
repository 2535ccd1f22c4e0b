import { AsyncQueue } from '@esdb-gater/primitives';
import { GaterError, type MembershipEvent } from '@esdb-gater/types';

/** Events that wait for a watcher; one that is further behind has to read `members()` and watch anew. */
const MAX_WAITING_EVENTS = 16_384;

/** Passes the events of the membership to all who watch. */
export class MemberEvents {
  readonly #watchers = new Set<AsyncQueue<MembershipEvent>>();
  #ended = false;

  watch(signal: AbortSignal | undefined): AsyncIterableIterator<MembershipEvent, undefined> {
    const watcher = new AsyncQueue<MembershipEvent>({
      signal,
      maxItems: MAX_WAITING_EVENTS,
      overflowError: () => new GaterError('overloaded', `a watcher is ${MAX_WAITING_EVENTS} events behind`),
      onEnd: (ended) => this.#watchers.delete(ended),
    });
    if (this.#ended) watcher.end();
    if (!watcher.ended) this.#watchers.add(watcher);
    return watcher;
  }

  tell(event: MembershipEvent): void {
    for (const watcher of this.#watchers) watcher.put(event);
  }

  end(): void {
    this.#ended = true;
    for (const watcher of this.#watchers) watcher.end();
  }
}
