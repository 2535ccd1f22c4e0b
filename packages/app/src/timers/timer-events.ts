import { invalidOption } from '@esdb-gater/primitives';
import type { JsonValue, NewEvent, RecordedEvent } from '@esdb-gater/types';
import { derivedId } from '../derived-id.ts';

/** The types of the events in the stream of timers. */
export const TIMER_SCHEDULED = 'timer_scheduled';
export const TIMER_CANCELLED = 'timer_cancelled';
export const TIMER_FIRED = 'timer_fired';

/** A timer that waits. Its message stays in the store. */
export interface PendingTimer {
  readonly id: string;
  /** Unix milliseconds. */
  readonly atMs: number;
  /** The version of its `timer_scheduled`. */
  readonly version: number;
}

/** Returns the event that schedules a timer. Its id is derived, so that the same timer is scheduled once. */
export function scheduledEvent(
  id: string,
  atMs: number,
  message: JsonValue,
  correlationId: string | undefined,
): NewEvent {
  return {
    id: derivedId(id, TIMER_SCHEDULED),
    type: TIMER_SCHEDULED,
    data: { timerId: id, at: new Date(atMs).toISOString(), message },
    ...(correlationId === undefined ? {} : { metadata: { correlationId } }),
  };
}

/** Returns the event that ends a timer. */
export function endedEvent(id: string, type: typeof TIMER_CANCELLED | typeof TIMER_FIRED): NewEvent {
  return { id: derivedId(id, type), type, data: { timerId: id } };
}

/** Reads an event of the stream of timers; undefined for one that is of another program. */
export function readTimerEvent(
  event: RecordedEvent,
): { readonly id: string; readonly scheduled?: PendingTimer } | undefined {
  const data = event.data as { readonly timerId?: unknown; readonly at?: unknown } | null | undefined;
  const id = data?.timerId;
  if (typeof id !== 'string') return undefined;
  if (event.type === TIMER_CANCELLED || event.type === TIMER_FIRED) return { id };
  const atMs = Date.parse(String(data?.at));
  if (event.type !== TIMER_SCHEDULED || Number.isNaN(atMs)) return undefined;
  return { id, scheduled: { id, atMs, version: event.version } };
}

/** Returns a time as Unix milliseconds. @throws `invalid_argument` (reason `at`) */
export function timeOf(at: Date | number | string): number {
  const ms = at instanceof Date ? at.getTime() : typeof at === 'number' ? at : Date.parse(at);
  // The bounds of `Date`.
  if (Number.isFinite(ms) && Math.abs(ms) <= 8.64e15) return Math.round(ms);
  throw invalidOption('at', at, 'a Date, Unix milliseconds or an RFC 3339 time');
}
