import type { AnyEvent, AppendParams, CallOptions, Gater } from '@esdb-gater/gater';
import type { AppendResult } from '@esdb-gater/types';
import { callOptionsOf, type HandleOptions } from '../commands/decider.ts';
import { stampEvents } from '../commands/stamp-events.ts';
import { derivedId } from '../derived-id.ts';
import type { Scheduler, TimerRequest } from './scheduler.ts';

/** Handles a command: a `commandHandler`, a `decisionHandler`, or a function of the program. */
export type HandleCommand<Command, Result> = (command: Command, options?: HandleOptions) => Promise<Result>;

/**
 * What a reaction does. Each effect has an id that is derived from its cause and from its place among the effects of that cause:
 * when the reaction runs again, the effects that succeeded do nothing. A reaction must therefore request its effects in the same order
 * each time.
 */
export interface Effects<A extends AnyEvent> {
  /** The id of the event or the timer that causes the effects: `metadata.causationId` of their events. */
  readonly causationId: string;
  /** `metadata.correlationId` of their events. */
  readonly correlationId: string;
  /** Handles a command, whose id is derived. */
  handle<Command, Result>(
    handler: HandleCommand<Command, Result>,
    command: Command,
    options?: CallOptions,
  ): Promise<Result>;
  /** Appends events, whose ids are derived. */
  append(params: EffectAppend<A>, options?: CallOptions): Promise<AppendResult>;
  /** Schedules a message, with an id that is derived unless the request has one. Returns that id. */
  schedule<Message>(timers: Scheduler<Message>, request: TimerRequest<Message>): Promise<string>;
  /** Returns the id of the next effect, for calls of other systems that take an idempotency key. */
  nextId(): string;
}

export interface EffectAppend<A extends AnyEvent>
  extends Pick<AppendParams<A>, 'streamId' | 'expectedVersion' | 'condition'> {
  readonly events: readonly A[];
}

/** Where effects come from. */
export interface Cause {
  readonly id: string;
  readonly correlationId: string;
  /** The name of the reactor or of the timers. */
  readonly name: string;
}

/** Creates the effects of one cause. */
export function createEffects<A extends AnyEvent>(
  gater: Gater<AnyEvent, A>,
  storeId: string,
  { id, correlationId, name }: Cause,
): Effects<A> {
  let count = 0;
  const nextId = (): string => derivedId(id, name, count++);
  const causes = { causationId: id, correlationId };
  return {
    ...causes,
    nextId,
    handle: (handler, command, options = {}) =>
      handler(command, { commandId: nextId(), ...causes, ...callOptionsOf(options) }),
    append({ events, ...params }, options) {
      const stamped = stampEvents(events, { commandId: nextId(), ...causes });
      return gater.appendEvents({ storeId, ...params, events: stamped }, options);
    },
    schedule: (timers, request) => timers.schedule({ id: nextId(), correlationId, ...request }),
  };
}
