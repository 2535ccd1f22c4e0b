import { throwIfEnded, watchContext } from '@esdb-gater/event-store';
import { Fifo } from '@esdb-gater/primitives';
import { type CallContext, type Clock, GaterError } from '@esdb-gater/types';
import { costOf, type WriteAnswer, type WriteRequest } from './write-request.ts';

/** The bounds of a transaction, within which others wait. */
const MAX_BATCH_REQUESTS = 500;
const MAX_BATCH_BYTES = 4 * 1_048_576;

interface Waiting {
  readonly request: WriteRequest;
  readonly bytes: number;
  readonly resolve: (answer: WriteAnswer) => void;
  readonly reject: (error: GaterError) => void;
  stop: (() => void) | undefined;
  /** True when nobody waits for the answer any more. */
  left: boolean;
}

export interface WriteQueueOptions {
  readonly maxWaitingCalls: number;
  readonly maxWaitingBytes: number;
  readonly clock: Clock;
  /** Writes a batch in one transaction, and resolves with an answer for each request. */
  readonly write: (requests: readonly WriteRequest[]) => Promise<readonly WriteAnswer[]>;
}

/** Gathers writes: all that wait while one transaction commits go into the next one. */
export class WriteQueue {
  readonly #options: WriteQueueOptions;
  readonly #waiting = new Fifo<Waiting>();
  #bytes = 0;
  #running: Promise<void> | undefined;

  constructor(options: WriteQueueOptions) {
    this.#options = options;
  }

  /**
   * Resolves with the answer of the database.
   *
   * @throws `overloaded` when too much waits; `timeout` when the caller's time is over
   */
  add(request: WriteRequest, context?: CallContext): Promise<WriteAnswer> {
    throwIfEnded(context);
    const { maxWaitingCalls, maxWaitingBytes, clock } = this.#options;
    const bytes = costOf(request);
    if (
      this.#waiting.length >= maxWaitingCalls ||
      (this.#bytes > 0 && this.#bytes + bytes > maxWaitingBytes)
    ) {
      throw new GaterError(
        'overloaded',
        `${this.#waiting.length} writes wait for PostgreSQL; try again later`,
      );
    }
    return new Promise((resolve, reject) => {
      const entry: Waiting = { request, bytes, resolve, reject, stop: undefined, left: false };
      entry.stop = watchContext(context, clock, (error) => {
        entry.left = true;
        reject(error);
      });
      this.#bytes += bytes;
      this.#waiting.push(entry);
      // In a later microtask, so that calls of the same turn share a transaction.
      this.#running ??= Promise.resolve().then(() => this.#run());
    });
  }

  /** Resolves when nothing waits any more. */
  async drained(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) {
      try {
        const answers = await this.#options.write(batch.map(({ request }) => request));
        for (const [index, entry] of batch.entries()) entry.resolve(answers[index] as WriteAnswer);
      } catch (error) {
        for (const entry of batch) entry.reject(GaterError.from(error));
      }
      for (const { stop } of batch) stop?.();
    }
    this.#running = undefined;
  }

  #take(): Waiting[] {
    const batch: Waiting[] = [];
    let bytes = 0;
    for (let entry = this.#waiting.first; entry !== undefined; entry = this.#waiting.first) {
      if (batch.length >= MAX_BATCH_REQUESTS || (batch.length > 0 && bytes + entry.bytes > MAX_BATCH_BYTES))
        break;
      this.#waiting.shift();
      this.#bytes -= entry.bytes;
      // What was not sent yet is certainly not written.
      if (entry.left) continue;
      bytes += entry.bytes;
      batch.push(entry);
    }
    return batch;
  }
}
