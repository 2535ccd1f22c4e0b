import type { AnyEvent, CallOptions, Recorded } from '@esdb-gater/gater';
import type { EventQuery } from '@esdb-gater/types';

/** The rules of a decision, without the store: what `specification` tests. */
export interface Decider<E extends AnyEvent, State, Command, Decision> {
  /** The state before the first event, or a function that makes it: needed where `evolve` changes it in place. */
  readonly initialState: State | (() => State);
  /** Returns the state after an event. */
  readonly evolve: (state: State, event: Recorded<E>) => State;
  /**
   * Returns the events that a command causes, none for a command that changes nothing. Throws to refuse the command. It must
   * have no effects: after a conflict it runs again.
   */
  readonly decide: (command: Command, state: State) => Decision;
}

/** The rules of a decision that depends on the events of a query. */
export interface QueryDecider<E extends AnyEvent, State, Command, Decision>
  extends Decider<E, State, Command, Decision> {
  /** Returns the query of the events that the decision depends on. */
  readonly query: (command: Command) => EventQuery;
}

/** Options of one command. */
export interface HandleOptions extends Pick<CallOptions, 'signal' | 'timeoutMs' | 'token'> {
  /** The id of the command. A repeat with the same id does nothing and returns the same result. @default `command.commandId` */
  readonly commandId?: string;
  /** `metadata.correlationId` of the events. @default the id of the command */
  readonly correlationId?: string;
  /** `metadata.causationId` of the events. @default the id of the command */
  readonly causationId?: string;
}

/** Returns the options of the calls that a command makes. */
export function callOptionsOf({ signal, timeoutMs, token }: CallOptions): CallOptions {
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(token === undefined ? {} : { token }),
  };
}

/** Returns the first state of a decider. */
export function initialStateOf<State>({
  initialState,
}: {
  readonly initialState: State | (() => State);
}): State {
  return typeof initialState === 'function' ? (initialState as () => State)() : initialState;
}

/** Returns a decision as the list of its events. */
export function eventsOf<A extends AnyEvent>(decision: A | readonly A[]): readonly A[] {
  return Array.isArray(decision) ? decision : [decision as A];
}
