import type { AnyEvent, Gater } from '@esdb-gater/gater';
import type { EventQuery, RecordedEvent } from '@esdb-gater/types';
import { storeIdOf } from '../defaults.ts';
import { derivedId } from '../derived-id.ts';
import { type CommandIdRule, commandIdOf } from './command-id.ts';
import { callOptionsOf, eventsOf, type HandleOptions, initialStateOf, type QueryDecider } from './decider.ts';
import { type ConflictRetryOptions, createConflictRetry } from './retry-conflicts.ts';
import { stampEvents } from './stamp-events.ts';

export interface DecisionHandlerParams<
  E extends AnyEvent,
  A extends AnyEvent,
  State,
  Command,
  Decision extends A | readonly A[],
> extends QueryDecider<E, State, Command, Decision>,
    CommandIdRule<Command>,
    ConflictRetryOptions {
  readonly gater: Gater<E, A>;
  /** @default the store of the `Gater` (its option `storeId`), else 'default' */
  readonly storeId?: string;
  /** Returns the stream that the events of a command are appended to. */
  readonly streamId: (command: Command) => string;
}

/** What a command did. */
export interface DecisionResult {
  readonly streamId: string;
  /** The version of the last event of the command. Absent when it caused none. */
  readonly version?: number;
  /** The position of the last event of the command; when it caused none, the position that it was decided at. */
  readonly position: number;
  /** How many events it caused. */
  readonly count: number;
  /** True when the command was handled before, and nothing was written. */
  readonly duplicate: boolean;
}

/** Handles commands of one kind, and carries their rules for tests. */
export interface DecisionHandler<E extends AnyEvent, State, Command, Decision>
  extends QueryDecider<E, State, Command, Decision> {
  /**
   * Reads the events that the command depends on, decides, and appends under the condition that no other such event came in
   * between; otherwise it begins again.
   *
   * @throws what `decide` throws; `append_condition_failed` after the last attempt; the errors of reading and appending
   */
  (command: Command, options?: HandleOptions): Promise<DecisionResult>;
}

/**
 * Creates the handler of commands whose decision depends on the events of a query, in any streams (a Dynamic Consistency
 * Boundary). With a command id each of its events gets a tag, by which a repeat finds them.
 *
 * @throws `invalid_argument` for an invalid option
 */
export function decisionHandler<
  E extends AnyEvent,
  A extends AnyEvent,
  State,
  Command,
  const Decision extends A | readonly A[],
>(
  params: DecisionHandlerParams<E, A, State, Command, Decision>,
): DecisionHandler<E, State, Command, Decision> {
  const { gater, initialState, evolve, decide, query: queryOf } = params;
  const storeId = storeIdOf(params);
  const retry = createConflictRetry('append_condition_failed', params);

  async function attempt(command: Command, options: HandleOptions): Promise<DecisionResult> {
    const call = callOptionsOf(options);
    const commandId = commandIdOf(params, command, options.commandId);
    const tag = commandId === undefined ? undefined : `command:${derivedId(commandId)}`;
    const wanted = queryOf(command);
    const query = tag === undefined ? wanted : withTag(wanted, tag);
    let state = initialStateOf<State>(params);
    let earlier: DecisionResult | undefined;
    let next: number | undefined = 0;
    let position = 0;
    while (next !== undefined) {
      const page = await gater.queryEvents({ storeId, query, after: next, limit: 1_000 }, call);
      for (const event of page.events) {
        const seen = event as unknown as RecordedEvent;
        if (tag !== undefined && seen.tags.includes(tag)) earlier = addTo(earlier, seen);
        else state = evolve(state, event);
      }
      position = page.lastPosition;
      next = page.next;
    }
    if (earlier !== undefined) return earlier;
    const streamId = params.streamId(command);
    const events = eventsOf<A>(decide(command, state));
    if (events.length === 0) return { streamId, position, count: 0, duplicate: false };
    const { correlationId, causationId } = options;
    const appended = await gater.appendEvents(
      {
        storeId,
        streamId,
        events: stampEvents(events, { commandId, correlationId, causationId, tag }),
        condition: { failIfEventsMatch: query, after: position },
      },
      call,
    );
    const { version, count, duplicate } = appended;
    return { streamId, version, position: appended.position, count, duplicate };
  }

  const handle = (command: Command, options: HandleOptions = {}): Promise<DecisionResult> =>
    retry(() => attempt(command, options), options.signal);
  return Object.assign(handle, { initialState, evolve, decide, query: queryOf });
}

function withTag(query: EventQuery, tag: string): EventQuery {
  return { items: [...query.items, { tags: [tag] }] };
}

function addTo(earlier: DecisionResult | undefined, event: RecordedEvent): DecisionResult {
  const { streamId, version, position } = event;
  return { streamId, version, position, count: (earlier?.count ?? 0) + 1, duplicate: true };
}
