import { AssertionError, deepStrictEqual } from 'node:assert';
import type { AnyEvent } from '@esdb-gater/gater';
import { eventMatcher } from '@esdb-gater/primitives';
import type { EventQuery, NewEvent, RecordedEvent } from '@esdb-gater/types';
import { eventsOf, initialStateOf } from '../commands/decider.ts';

/** What is expected of an error: its class, a pattern of its message, members that it has, or a check. */
export type ExpectedError =
  | (new (
      ...args: never[]
    ) => unknown)
  | RegExp
  | Readonly<Record<string, unknown>>
  | ((error: unknown) => boolean);

/** A command was handled. */
export interface When<A extends AnyEvent> {
  /**
   * Checks the events that the command causes: types and data, and `id`, `metadata` and `tags` where an expected event names them.
   *
   * @throws an `AssertionError` with the difference
   */
  then(expected: A | readonly A[]): void;
  /** Checks that the command causes no events. @throws an `AssertionError` */
  thenNothing(): void;
  /** Checks that the command is refused. @throws an `AssertionError` */
  thenThrows(expected?: ExpectedError): void;
}

/** Events have happened. */
export interface Given<A extends AnyEvent, Command> {
  when(command: Command): When<A>;
}

/** Tests the rules of a decision without a store. */
export interface Specification<A extends AnyEvent, Command> {
  /** Begins with events that have happened, none for a new stream. */
  given(events?: A | readonly A[]): Given<A, Command>;
}

/** What `specification` takes: a command handler, a decision handler, or an object with their rules. */
export interface Rules<Event, State, Command> {
  readonly initialState: State | (() => State);
  readonly evolve: (state: State, event: Event) => State;
  readonly decide: (command: Command, state: State) => unknown;
  readonly query?: (command: Command) => EventQuery;
}

/** The events of which `Event` are the recorded ones. */
export type NewOf<Event> = Event extends RecordedEvent<infer Type, infer Data> ? NewEvent<Type, Data> : never;

/**
 * Creates a specification of a command handler, a decision handler or their rules: `given(…).when(…).then(…)`. The query of
 * a decision handler is applied to the given events, so that it is tested too.
 */
export function specification<Event, State, Command>(
  rules: Rules<Event, State, Command>,
): Specification<NewOf<Event>, Command> {
  type New = NewOf<Event>;
  return {
    given: (events = []) => ({
      when(command) {
        const decide = (): readonly New[] => {
          const matches = rules.query === undefined ? () => true : eventMatcher(rules.query(command));
          const past = eventsOf<New>(events).map(recorded).filter(matches);
          let state = initialStateOf<State>(rules);
          for (const event of past) state = rules.evolve(state, event as Event);
          return eventsOf<New>(rules.decide(command, state) as New | readonly New[]);
        };
        return whenOf(decide);
      },
    }),
  };
}

function whenOf<A extends AnyEvent>(decide: () => readonly A[]): When<A> {
  return {
    // biome-ignore lint/suspicious/noThenProperty: given, when, then are the words of such tests; this is not awaited
    then(expected) {
      const wanted = eventsOf<A>(expected);
      const actual = decide().map((event, index) => comparable(event, wanted[index] ?? event));
      deepStrictEqual(
        actual,
        wanted.map((event) => comparable(event, event)),
      );
    },
    thenNothing() {
      deepStrictEqual(decide(), []);
    },
    thenThrows(expected) {
      let events: readonly A[];
      try {
        events = decide();
      } catch (error) {
        checkError(error, expected);
        return;
      }
      throw new AssertionError({
        message: 'the command was not refused',
        actual: events,
        operator: 'throws',
      });
    },
  };
}

/** Keeps of an event what is compared: its type and data, and what the expected event names. */
function comparable(event: AnyEvent, expected: AnyEvent): Record<string, unknown> {
  const kept: Record<string, unknown> = { type: event.type, data: event.data };
  for (const name of ['id', 'metadata', 'tags'] as const) {
    if (expected[name] !== undefined) kept[name] = event[name];
  }
  // Readonly arrays and tuples of a decision are the same as plain ones; what JSON leaves out is absent.
  return JSON.parse(JSON.stringify(kept)) as Record<string, unknown>;
}

function recorded(event: AnyEvent, index: number): RecordedEvent {
  return {
    id: event.id ?? `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    storeId: 'default',
    streamId: 'given',
    version: index,
    position: index + 1,
    metadata: {},
    tags: [],
    timestamp: '2026-01-01T00:00:00.000Z',
    epochUs: 1_767_225_600_000_000,
    ...event,
  } as RecordedEvent;
}

function checkError(error: unknown, expected: ExpectedError | undefined): void {
  if (expected === undefined || isExpected(error, expected)) return;
  throw new AssertionError({
    message: `the command was refused with another error: ${String(error)}`,
    actual: error,
    expected,
    operator: 'throws',
  });
}

function isExpected(error: unknown, expected: ExpectedError): boolean {
  if (expected instanceof RegExp)
    return expected.test(error instanceof Error ? error.message : String(error));
  if (typeof expected === 'object') {
    return Object.entries(expected).every(([name, value]) => {
      const actual = (error as Record<string, unknown> | null)?.[name];
      return value instanceof RegExp ? value.test(String(actual)) : Object.is(actual, value);
    });
  }
  if (isClass(expected)) return error instanceof expected;
  return expected(error);
}

function isClass(value: unknown): value is new (...args: never[]) => unknown {
  return value === Error || (value as { prototype?: unknown }).prototype instanceof Error;
}
