import type { CallOptions } from '@esdb-gater/gater';

/** A message that is due at a time. */
export interface TimerRequest<Message> {
  /** Unix milliseconds, a `Date` or an RFC 3339 time. A time in the past is due at once. */
  readonly at: Date | number | string;
  /** Any JSON value. */
  readonly message: Message;
  /** A timer with an id that was used before is not scheduled again. @default a new UUIDv7 */
  readonly id?: string;
  /** @default the id of the timer */
  readonly correlationId?: string;
}

/** Schedules messages. */
export interface Scheduler<Message> {
  /** Schedules a message and returns the id of the timer. Works also where the timers are not started. */
  schedule(request: TimerRequest<Message>, options?: CallOptions): Promise<string>;
}
