import { watchLimits } from '@esdb-gater/primitives';
import { type Clock, GaterError } from '@esdb-gater/types';

interface PendingCall {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  stopWatching: (() => void) | undefined;
  readonly onResult: ((result: unknown) => void) | undefined;
}

export interface WaitOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /**
   * Called with the result in the very moment in which its message is taken, before any later message is: what
   * a `then` does may come after several of them.
   */
  readonly onResult?: (result: unknown) => void;
}

/** Errors of calls that were sent, and whose connection ended before an answer came. */
const unanswered = new WeakSet<object>();

/**
 * True when `error` says that a call was sent and its connection broke before the answer: whether it had an
 * effect is unknown. Kept beside the error, not in it, so that no other program's answer can look like it.
 */
export function wasUnanswered(error: unknown): boolean {
  return typeof error === 'object' && error !== null && unanswered.has(error);
}

/** The calls of one connection that wait for their answers. */
export class PendingCalls {
  readonly #calls = new Map<unknown, PendingCall>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** Waits for the answer to `id`. Rejects with `timeout`, or with the signal's reason. */
  wait(id: string | number, method: string, { signal, timeoutMs, onResult }: WaitOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const call: PendingCall = { resolve, reject, onResult, stopWatching: undefined };
      this.#calls.set(id, call);
      const timeoutError = (limitMs: number): GaterError => unansweredInTime(method, limitMs);
      const limits = { signal, timeoutMs, timeoutError, clock: this.#clock };
      call.stopWatching = watchLimits(limits, (error) => this.reject(id, error));
    });
  }

  /** False when nobody waits for `id` (any longer). */
  resolve(id: unknown, result: unknown): boolean {
    const call = this.#take(id);
    call?.onResult?.(result);
    call?.resolve(result);
    return call !== undefined;
  }

  /** False when nobody waits for `id` (any longer). */
  reject(id: unknown, error: unknown): boolean {
    const call = this.#take(id);
    call?.reject(error);
    return call !== undefined;
  }

  /** Rejects all that wait: their answers will not come. */
  abandon(message: string, details: { readonly closeCode: number }): void {
    for (const id of [...this.#calls.keys()]) {
      const error = new GaterError('unavailable', message, { details });
      unanswered.add(error);
      this.#take(id)?.reject(error);
    }
  }

  #take(id: unknown): PendingCall | undefined {
    const call = this.#calls.get(id);
    if (call === undefined) return undefined;
    this.#calls.delete(id);
    call.stopWatching?.();
    return call;
  }
}

function unansweredInTime(method: string, timeoutMs: number): GaterError {
  return new GaterError('timeout', `${method} was not answered within ${timeoutMs} ms`, {
    details: { timeoutMs },
  });
}
