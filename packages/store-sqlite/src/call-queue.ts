import { watchContext } from '@esdb-gater/event-store';
import { type CallContext, type Clock, GaterError } from '@esdb-gater/types';
import type { SomeCall, ThreadAnswer } from './thread-messages.ts';

/** What one message may carry: bounds how long one transaction takes. */
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
 * The calls to one thread that wait for their answers: those not sent yet, in order, and those sent. Bounded in
 * number and bytes; a caller that stops waiting takes its call out of the first, and its answer out of the second.
 */
export class CallQueue {
  readonly #options: CallQueueOptions;
  /** By sequence number, in order: a Map keeps the order of insertion. */
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

  /** @throws (rejects) `overloaded` when too much waits, `timeout` when the caller stopped waiting, or the answer's error */
  add(
    method: PropertyKey,
    args: readonly unknown[],
    costBytes: number,
    context?: CallContext,
  ): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const { maxWaitingCalls, maxWaitingBytes, clock } = this.#options;
    if (this.size >= maxWaitingCalls || (this.size > 0 && this.#costBytes + costBytes > maxWaitingBytes)) {
      reject(new GaterError('overloaded', `${this.size} calls with ${this.#costBytes} bytes wait already`));
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

  /** The next calls to send, up to what one message may carry. */
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

  /** Fails everything that waits, sent or not. */
  failAll(error: GaterError): void {
    for (const seq of [...this.#sent.keys(), ...this.#unsent.keys()]) this.#settle(seq, undefined, error);
  }

  #settle(seq: number, result: unknown, error?: GaterError): void {
    const waiting = this.#sent.get(seq) ?? this.#unsent.get(seq);
    // The answer to a call whose caller has gone.
    if (waiting === undefined) return;
    this.#sent.delete(seq);
    this.#unsent.delete(seq);
    this.#costBytes -= waiting.costBytes;
    waiting.stopWatching?.();
    if (error === undefined) waiting.resolve(result);
    else waiting.reject(error);
  }
}
