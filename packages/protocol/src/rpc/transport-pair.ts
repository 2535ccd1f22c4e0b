import type { Transport, TransportHandlers } from '@esdb-gater/types';

/** One end of a pair. Its messages arrive at the other end in a later microtask, in order. */
class PairedTransport implements Transport {
  other: PairedTransport | undefined;
  #handlers: TransportHandlers | undefined;
  #closed = false;
  readonly #waiting: ((handlers: TransportHandlers) => void)[] = [];

  send(text: string): void {
    if (this.#closed) return;
    this.other?.deliver((handlers) => handlers.message(text));
  }

  close(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.other?.ended(code, reason);
    this.deliver((handlers) => handlers.closed(code, reason));
  }

  receive(handlers: TransportHandlers): void {
    this.#handlers = handlers;
    for (const give of this.#waiting.splice(0)) give(handlers);
  }

  ended(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.deliver((handlers) => handlers.closed(code, reason));
  }

  deliver(give: (handlers: TransportHandlers) => void): void {
    queueMicrotask(() => {
      if (this.#handlers === undefined) this.#waiting.push(give);
      else give(this.#handlers);
    });
  }
}

/** Creates two connected transports inside a process, for embedding and for tests. */
export function createTransportPair(): readonly [Transport, Transport] {
  const one = new PairedTransport();
  const two = new PairedTransport();
  one.other = two;
  two.other = one;
  return [one, two];
}
