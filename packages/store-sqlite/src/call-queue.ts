import { watchContext } from '@esdb-gater/event-store';
import { type CallContext, type Clock, GaterError } from '@esdb-gater/types';
import type { SomeCall, ThreadAnswer } from './thread-messages.ts';

/** The limits of one message, which bound the duration of one transaction. */
const MESSAGE_COST_BYTES = 4 * 1_048_576;
const MESSAGE_CALLS = 1_024;

export interface CallQueueOptions {
  readonly maxWaitingCalls: number;
  readonly maxWaitingBytes: number;
  readonly clock: Clock;
}

interface WaitingCall {
  readonly call: SomeCall;
  readonly costBytes: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  stopWatching: (() => void) | undefined;
}

/**
 * Queues the calls to one thread until they are answered. Bounded in number and bytes. When a caller stops waiting, an
 * unsent call is removed and the answer to a sent one is ignored.
 */
export class CallQueue {
  readonly #options: CallQueueOptions;
  /** By sequence number, in the order of the calls. */
  readonly #unsent = new Map<number, WaitingCall>();
  readonly #sent = new Map<number, WaitingCall>();
  #seq = 0;
  #costBytes = 0;

  constructor(options: CallQueueOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#unsent.size + this.#sent.size;
  }

  get hasUnsent(): boolean {
    return this.#unsent.size > 0;
  }

  /** Adds a call and resolves to its answer. @throws `overloaded` when the queue is full, `timeout` when the caller stopped waiting, or the answer's error */
  add(
    method: PropertyKey,
    args: readonly unknown[],
    costBytes: number,
    context?: CallContext,
  ): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const { maxWaitingCalls, maxWaitingBytes, clock } = this.#options;
    if (this.size >= maxWaitingCalls || (this.size > 0 && this.#costBytes + costBytes > maxWaitingBytes)) {
      reject(
        new GaterError(
          'overloaded',
          `the queue is full: ${this.size} calls with ${this.#costBytes} bytes are waiting`,
        ),
      );
      return promise;
    }
    this.#seq += 1;
    const seq = this.#seq;
    const call: SomeCall = [seq, method, ...args];
    const waiting: WaitingCall = { call, costBytes, resolve, reject, stopWatching: undefined };
    this.#unsent.set(seq, waiting);
    this.#costBytes += costBytes;
    waiting.stopWatching = watchContext(context, clock, (error) => this.#settle(seq, undefined, error));
    return promise;
  }

  /** Takes the next calls to send, within the limits of one message. */
  take(): SomeCall[] {
    const calls: SomeCall[] = [];
    let costBytes = 0;
    for (const [seq, waiting] of this.#unsent) {
      if (calls.length > 0 && costBytes + waiting.costBytes > MESSAGE_COST_BYTES) break;
      this.#unsent.delete(seq);
      this.#sent.set(seq, waiting);
      costBytes += waiting.costBytes;
      if (calls.push(waiting.call) === MESSAGE_CALLS) break;
    }
    return calls;
  }

  answer([seq, result, error]: ThreadAnswer): void {
    this.#settle(seq, result, error && GaterError.fromData(error.message, error.data));
  }

  /** Fails all calls, sent or not. */
  failAll(error: GaterError): void {
    for (const seq of [...this.#sent.keys(), ...this.#unsent.keys()]) this.#settle(seq, undefined, error);
  }

  #settle(seq: number, result: unknown, error?: GaterError): void {
    const waiting = this.#sent.get(seq) ?? this.#unsent.get(seq);
    // The caller has already stopped waiting.
    if (waiting === undefined) return;
    this.#sent.delete(seq);
    this.#unsent.delete(seq);
    this.#costBytes -= waiting.costBytes;
    waiting.stopWatching?.();
    if (error === undefined) waiting.resolve(result);
    else waiting.reject(error);
  }
}
