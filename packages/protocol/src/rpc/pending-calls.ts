import { watchLimits } from '@esdb-gater/primitives';
import { type Clock, GaterError } from '@esdb-gater/types';
import { CLOSE_CODES } from './subprotocol.ts';

interface PendingCall {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  stopWatching: (() => void) | undefined;
  readonly method: string;
  /** Of its frame, or more when the frame is small. */
  readonly bytes: number;
  readonly onResult: ((result: unknown) => void) | undefined;
}

export interface WaitOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /**
   * Called with the result when its message is received, before any later message. A `then` may run after several
   * later messages.
   */
  readonly onResult?: (result: unknown) => void;
}

/** Errors of calls that were sent and got no answer before the connection closed. */
const unanswered = new WeakSet<object>();

/**
 * Returns whether `error` says that a call was sent and its connection broke before the answer, so that its effect is
 * unknown. This is not a member of the error, so that another program's answer cannot imitate it.
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

  /** Waits for the answer to `id`. @throws `timeout`, or the signal's reason */
  wait(
    id: string | number,
    method: string,
    { signal, timeoutMs, onResult }: WaitOptions,
    bytes = 0,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const call: PendingCall = { resolve, reject, onResult, stopWatching: undefined, method, bytes };
      this.#calls.set(id, call);
      const timeoutError = (limitMs: number): GaterError => unansweredInTime(method, limitMs);
      const limits = { signal, timeoutMs, timeoutError, clock: this.#clock };
      call.stopWatching = watchLimits(limits, (error) => this.reject(id, error));
    });
  }

  /** Returns false when nobody waits for `id`. */
  resolve(id: unknown, result: unknown): boolean {
    const call = this.#take(id);
    call?.onResult?.(result);
    call?.resolve(result);
    return call !== undefined;
  }

  /** Returns false when nobody waits for `id`. */
  reject(id: unknown, error: unknown): boolean {
    const call = this.#take(id);
    call?.reject(error);
    return call !== undefined;
  }

  /**
   * Rejects all calls that wait, as their answers will not come. When the other side closed the connection because a
   * frame was too big (1009), the longest frame caused that: its call fails with `payload_too_large`, and must not be
   * retried.
   */
  abandon(message: string, details: { readonly closeCode: number }): void {
    if (details.closeCode === CLOSE_CODES.messageTooBig) this.#rejectLongest();
    for (const id of [...this.#calls.keys()]) {
      const error = new GaterError('unavailable', message, { details });
      unanswered.add(error);
      this.#take(id)?.reject(error);
    }
  }

  #rejectLongest(): void {
    let longest: { readonly id: unknown; readonly call: PendingCall } | undefined;
    for (const [id, call] of this.#calls) {
      if (longest === undefined || call.bytes > longest.call.bytes) longest = { id, call };
    }
    if (longest === undefined) return;
    const { method, bytes } = longest.call;
    this.reject(
      longest.id,
      new GaterError(
        'payload_too_large',
        `the call of ${method} (${bytes} bytes) is longer than the other side accepts`,
        { details: { bytes } },
      ),
    );
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
