import type { AnyEvent, DeliveredEvent, EventSubscription, Gater } from '@esdb-gater/gater';
import { sleep } from '@esdb-gater/primitives';
import { calculateDelay, type RetryPolicyOptions, retryPolicy } from '@esdb-gater/retry';
import { type Clock, GaterError, type RecordedEvent } from '@esdb-gater/types';
import { clockOf, storeIdOf } from '../defaults.ts';
import { createEffects, type Effects } from '../effects/effect-context.ts';
import type { RecordedOfType } from '../events.ts';

export interface ReactorParams<E extends AnyEvent, A extends AnyEvent, Type extends E['type']> {
  readonly gater: Gater<E, A>;
  /** @default the store of the `Gater` (its option `storeId`), else 'default' */
  readonly storeId?: string;
  /** Names the persistent subscription, 1 to 255 UTF-16 units. The ids of effects are derived from it: do not rename it. */
  readonly name: string;
  /** The types of events that it reacts to. */
  readonly on: readonly Type[];
  /** Reacts to an event. After a failure, and after a crash, it runs again for the same event. */
  readonly react: (event: RecordedOfType<E, Type>, effects: Effects<A>) => void | PromiseLike<void>;
  /** Where a new reactor begins: an exclusive position, or `latest`. @default 0 */
  readonly startFrom?: number | 'latest';
  /** After this a reaction that has not ended begins again, perhaps elsewhere. @default 30 000 */
  readonly ackTimeoutMs?: number;
  /** When an event that failed comes again; after `maxAttempts` it is parked. @default 100 ms up to 30 s, 10 attempts */
  readonly retry?: RetryPolicyOptions;
  /** @default that of a `TestGater`, else the system clock */
  readonly clock?: Clock;
  /** Returns a number from 0 (inclusive) to 1 (exclusive). @default Math.random */
  readonly random?: () => number;
}

/** `running` and `retrying` take events; `failed` has given up, and `start` tries again. */
export type ReactorStatus = 'idle' | 'running' | 'retrying' | 'failed';

export interface ReactorHealth {
  readonly name: string;
  readonly status: ReactorStatus;
  /** How many events were handled and acknowledged since the start. */
  readonly handled: number;
  /** The position of the last of them; 0 before the first. */
  readonly position: number;
  /** Why the last reaction or the connection failed; absent after the next success. */
  readonly error?: { readonly message: string; readonly code?: string; readonly position?: number };
}

/** A process manager: it turns events into commands. */
export interface Reactor extends AsyncDisposable {
  readonly name: string;
  /** Joins the persistent subscription, which it makes where there is none. @throws the errors of `saveSubscription` */
  start(): Promise<Reactor>;
  /** Stops after the reaction under way. Events that were not acknowledged come again. */
  stop(): Promise<void>;
  health(): ReactorHealth;
}

/**
 * Creates a reactor (process manager): it reacts to each event at least once, in the order of each stream, and what it does has
 * ids that are derived from the event, so that a repeat does nothing. Several processes may run it and share the events.
 *
 * @throws `invalid_argument` (reason `retry_policy`)
 */
export function reactor<E extends AnyEvent, A extends AnyEvent, const Type extends E['type']>(
  params: ReactorParams<E, A, Type>,
): Reactor {
  return new RunningReactor(params as unknown as AnyReactorParams);
}

type AnyReactorParams = Omit<ReactorParams<AnyEvent, AnyEvent, string>, 'react'> & {
  readonly react: (event: RecordedEvent, effects: Effects<AnyEvent>) => void | PromiseLike<void>;
};

type Delivered = DeliveredEvent<RecordedEvent>;
type Subscribed = EventSubscription<RecordedEvent>;

class RunningReactor implements Reactor {
  readonly name: string;
  readonly #params: AnyReactorParams;
  readonly #policy: ReturnType<typeof retryPolicy>;
  readonly #clock: Clock;
  #stop = new AbortController();
  #running: Promise<void> | undefined;
  #subscription: Subscribed | undefined;
  #status: ReactorStatus = 'idle';
  #handled = 0;
  #position = 0;
  #error: ReactorHealth['error'];

  constructor(params: AnyReactorParams) {
    this.name = params.name;
    this.#params = params;
    this.#policy = retryPolicy(params.retry);
    this.#clock = clockOf(params);
  }

  async start(): Promise<Reactor> {
    if (this.#running !== undefined) return this;
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    const started = Promise.withResolvers<void>();
    this.#running = this.#run(signal, started).finally(() => {
      this.#running = undefined;
    });
    await started.promise;
    return this;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    // The subscription ends the iteration; the reaction under way is waited for.
    await this.#subscription?.unsubscribe().catch(() => undefined);
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  health(): ReactorHealth {
    return {
      name: this.name,
      status: this.#status,
      handled: this.#handled,
      position: this.#position,
      ...(this.#error === undefined ? {} : { error: this.#error }),
    };
  }

  async #run(signal: AbortSignal, started: PromiseWithResolvers<void>): Promise<void> {
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        this.#subscription = await this.#join(signal);
        started.resolve();
        failures = 0;
        this.#status = 'running';
        for await (const delivered of this.#subscription) {
          await this.#react(delivered);
          if (signal.aborted) break;
        }
        // Only leaving ends the iteration without an error.
        break;
      } catch (error) {
        if (signal.aborted) break;
        this.#noteError(error);
        if (!GaterError.is(error) || !error.retriable) {
          this.#status = 'failed';
          started.reject(error);
          return;
        }
        this.#status = 'retrying';
        const delayMs = calculateDelay(failures, this.#policy, this.#params.random);
        await sleep(delayMs, this.#clock, signal, { unref: true }).catch(() => undefined);
      }
    }
    await this.#subscription?.unsubscribe().catch(() => undefined);
    this.#status = 'idle';
    started.resolve();
  }

  async #join(signal: AbortSignal): Promise<Subscribed> {
    const { gater, name, on, startFrom, ackTimeoutMs } = this.#params;
    const subscription = await gater.saveSubscription(
      {
        storeId: storeIdOf(this.#params),
        name,
        type: 'event_type',
        selector: [...on],
        maxRetries: this.#policy.maxAttempts - 1,
        ...(startFrom === undefined ? {} : { startFrom }),
        ...(ackTimeoutMs === undefined ? {} : { ackTimeoutMs }),
      },
      { signal },
    );
    return subscription as unknown as Subscribed;
  }

  async #react({ event, attempt, ack, nack }: Delivered): Promise<void> {
    const { gater, name, react, random } = this.#params;
    const correlationId = String(event.metadata['correlationId'] ?? event.id);
    try {
      const cause = { id: event.id, correlationId, name };
      await react(event, createEffects(gater, storeIdOf(this.#params), cause));
    } catch (error) {
      this.#noteError(error, event.position);
      const delayMs = Math.round(calculateDelay(Math.max(0, attempt - 1), this.#policy, random));
      await nack({ action: 'retry', delayMs, reason: messageOf(error).slice(0, 255) });
      return;
    }
    await ack();
    this.#handled += 1;
    this.#position = event.position;
    this.#error = undefined;
  }

  #noteError(error: unknown, position?: number): void {
    this.#error = {
      message: messageOf(error),
      ...(GaterError.is(error) ? { code: error.code } : {}),
      ...(position === undefined ? {} : { position }),
    };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
