import { invalidArgument, type Logger, silentLogger } from '@esdb-gater/types';
import type { EventName, Measurements, Metadata } from './events.ts';

/** Every member that one of the events has, for who has not asked yet which event it is. */
type Loose<Union> = {
  readonly [Key in Union extends unknown ? keyof Union : never]?: Union extends Record<Key, infer Value>
    ? Value
    : never;
};

/** The arguments of a handler, as a union by event: a `switch` over the first one narrows the others. */
export type HandlerArguments<Config = undefined> = {
  [Name in EventName]: [
    event: Name,
    measurements: Measurements<Name>,
    metadata: Metadata<Name>,
    config: Config,
  ];
}[EventName];

/**
 * Declared as a method, so that its parameters are compared bivariantly: a handler may take {@link HandlerArguments}.
 */
interface HandlerMethod<Config> {
  handle(
    event: EventName,
    measurements: Loose<Measurements<EventName>>,
    metadata: Loose<Metadata<EventName>>,
    config: Config,
  ): void;
}

/**
 * Is called synchronously by the operation that it observes, so it must be fast. Its return value is ignored.
 *
 * Written as `(...[event, measurements, metadata, config]: HandlerArguments<Config>) => …` it has every member typed
 * once `event` is known; with plain parameters all members are optional.
 */
export type Handler<Config = undefined> = HandlerMethod<Config>['handle'];

interface Attachment {
  readonly id: string;
  readonly handler: (...args: readonly unknown[]) => unknown;
  readonly config: unknown;
}

/** Replaced, never changed, so that a handler may attach and detach handlers while an event is emitted. */
let attached: readonly Attachment[] = [];

let reports: Logger = silentLogger;

/**
 * Calls `handler` at every event from now on, with `config` as its last argument. Attachments are those of the
 * process, as in the ancestor, and handlers are called in the order in which they were attached.
 *
 * @throws `invalid_argument` (reason `handler_attached`) when a handler with this id is attached already
 */
export function attach(id: string, handler: Handler): void;
export function attach<Config>(id: string, handler: Handler<Config>, config: Config): void;
export function attach(id: string, handler: Handler<never>, config?: unknown): void {
  if (attached.some((one) => one.id === id)) {
    throw invalidArgument(
      'handler_attached',
      `a handler with the id ${JSON.stringify(id)} is attached already`,
    );
  }
  attached = [...attached, { id, handler: handler as Attachment['handler'], config }];
}

/** Detaches a handler. Returns false when no handler has this id. */
export function detach(id: string): boolean {
  const left = attached.filter((one) => one.id !== id);
  const found = left.length < attached.length;
  attached = left;
  return found;
}

/** Returns false when no handler is attached: then callers can skip the measurements. Costs about a nanosecond. */
export function hasHandlers(): boolean {
  return attached.length > 0;
}

/** Where a handler that threw is reported. @default nowhere */
export function setLogger(logger: Logger): void {
  reports = logger;
}

/**
 * Calls all handlers. Never throws: a handler that throws, or whose promise rejects, is detached and reported. Without
 * handlers a call costs a few nanoseconds.
 */
export function emit<Name extends EventName>(
  event: Name,
  measurements: Measurements<Name>,
  metadata: Metadata<Name>,
): void {
  for (const one of attached) {
    try {
      const returned = one.handler(event, measurements, metadata, one.config);
      // An async handler throws by rejecting, and unheard that would end the process.
      if (returned instanceof Promise) returned.catch((error: unknown) => expel(one, event, error));
    } catch (error) {
      expel(one, event, error);
    }
  }
}

function expel(one: Attachment, event: EventName, error: unknown): void {
  // By identity, since another handler may have this id by now; and only once, even when several events were in
  // progress.
  if (!attached.includes(one)) return;
  attached = attached.filter((other) => other !== one);
  try {
    reports.error({ err: error, handler: one.id, event }, 'a telemetry handler threw and was detached');
  } catch {
    // A logger that throws must not fail the observed call, and the failure cannot be reported anywhere else.
  }
}
