import { type AnyEvent, type CallOptions, type Gater, loadState, type Recorded } from '@esdb-gater/gater';
import { requireInteger } from '@esdb-gater/primitives';
import { GaterError, type JsonValue, type Snapshot } from '@esdb-gater/types';
import { storeIdOf } from '../defaults.ts';
import { type CommandIdRule, commandIdOf } from './command-id.ts';
import { callOptionsOf, type Decider, eventsOf, type HandleOptions } from './decider.ts';
import { type AppendOfCommand, EarlierAppend } from './earlier-append.ts';
import { type ConflictRetryOptions, createConflictRetry } from './retry-conflicts.ts';
import { stampEvents } from './stamp-events.ts';

/** When the state of a stream is recorded, so that later commands read only the events after it. */
export interface SnapshotRule<State> {
  /** Records a snapshot when a command had to read this many events. 1 to 1 000 000. */
  readonly every: number;
  /** Names the form of the state. Handlers with other states of the same stream have other names, and so has a new form. */
  readonly name: string;
  /**
   * Makes the state of a snapshot; undefined when it is of an older form. When it throws, the snapshot is not used either.
   *
   * @default its `record`
   */
  readonly restore?: (snapshot: Snapshot) => State | undefined;
  /** Makes the record of a state. @default the state, which must then be JSON */
  readonly record?: (state: State) => JsonValue;
  /** Is told of a snapshot that could not be restored or recorded. The command goes on without it. @default nothing */
  readonly onFailure?: (error: unknown) => void;
}

export interface CommandHandlerParams<
  E extends AnyEvent,
  A extends AnyEvent,
  State,
  Command,
  Decision extends A | readonly A[],
> extends Decider<E, State, Command, Decision>,
    CommandIdRule<Command>,
    ConflictRetryOptions {
  readonly gater: Gater<E, A>;
  /** @default the store of the `Gater` (its option `storeId`), else 'default' */
  readonly storeId?: string;
  /** Returns the stream that a command is for. */
  readonly streamId: (command: Command) => string;
  /** @default no snapshots */
  readonly snapshot?: SnapshotRule<State>;
}

export interface CommandOptions extends HandleOptions {
  /** The version that the caller saw. Another one fails with `wrong_expected_version`, without a retry. @default any */
  readonly expectedVersion?: number;
}

/** What a command did. */
export interface CommandResult {
  readonly streamId: string;
  /** The version of the last event of the command; that of the stream when it caused none. */
  readonly version: number;
  /** The position of the last event of the command. Absent when it caused none. */
  readonly position?: number;
  /** How many events it caused. */
  readonly count: number;
  /** True when the command was handled before, and nothing was written. */
  readonly duplicate: boolean;
}

/** Handles commands of one kind, and carries their rules for tests. */
export interface CommandHandler<E extends AnyEvent, State, Command, Decision>
  extends Decider<E, State, Command, Decision> {
  /**
   * Loads the state of the command's stream, decides, and appends. After a conflict it begins again.
   *
   * @throws what `decide` throws; `wrong_expected_version` after the last attempt; the errors of reading and appending
   */
  (command: Command, options?: CommandOptions): Promise<CommandResult>;
}

/**
 * Creates the handler of commands whose decision depends on one stream.
 *
 * @throws `invalid_argument` for an invalid option
 */
export function commandHandler<
  E extends AnyEvent,
  A extends AnyEvent,
  State,
  Command,
  const Decision extends A | readonly A[],
>(params: CommandHandlerParams<E, A, State, Command, Decision>): CommandHandler<E, State, Command, Decision> {
  const { gater, snapshot, initialState, evolve, decide } = params;
  const storeId = storeIdOf(params);
  if (snapshot !== undefined) requireInteger('snapshot.every', snapshot.every, { min: 1, max: 1_000_000 });
  const retry = createConflictRetry('wrong_expected_version', params);

  async function attempt(command: Command, options: CommandOptions): Promise<CommandResult> {
    const stream = { storeId, streamId: params.streamId(command) };
    const call = callOptionsOf(options);
    const commandId = commandIdOf(params, command, options.commandId);
    const earlier = commandId === undefined ? undefined : new EarlierAppend(commandId);
    const loaded = await loadState<State, E, A>(
      gater,
      {
        ...stream,
        initialState,
        evolve(state, event) {
          earlier?.observe(event as Recorded<E> & { id: string; version: number; position: number });
          return evolve(state, event);
        },
        ...(snapshot === undefined ? {} : { snapshot: placeOf(snapshot, stream.streamId) }),
      },
      call,
    );
    if (earlier?.found !== undefined) return repeated(stream.streamId, earlier.found);
    /** Looks where the snapshot hides the events, which only costs a read when the command may be a repeat. */
    const findHidden = async (): Promise<CommandResult | undefined> => {
      if (earlier === undefined || loaded.snapshotVersion === undefined) return undefined;
      const found = await earlier.search(gater, stream, loaded.snapshotVersion, call);
      return found && repeated(stream.streamId, found);
    };
    checkVersion(stream.streamId, options.expectedVersion, loaded.version);
    let events: readonly A[];
    try {
      events = eventsOf<A>(decide(command, loaded.state));
    } catch (refusal) {
      const found = await findHidden();
      if (found !== undefined) return found;
      throw refusal;
    }
    if (events.length === 0) {
      const nothing = { streamId: stream.streamId, version: loaded.version, count: 0, duplicate: false };
      return (await findHidden()) ?? nothing;
    }
    const { correlationId, causationId } = options;
    const stamped = stampEvents(events, { commandId, correlationId, causationId });
    const append = { ...stream, expectedVersion: loaded.version, events: stamped };
    try {
      const { version, position, count, duplicate } = await gater.appendEvents(append, call);
      if (duplicate)
        return (await findHidden()) ?? { streamId: stream.streamId, version, position, count, duplicate };
      await recordSnapshot(stream.streamId, loaded, call);
      return { streamId: stream.streamId, version, position, count, duplicate };
    } catch (error) {
      if (!GaterError.is(error, 'invalid_argument') || error.details.reason !== 'id_conflict') throw error;
      const found = await findHidden();
      if (found !== undefined) return found;
      throw error;
    }
  }

  async function recordSnapshot(
    streamId: string,
    loaded: { readonly state: State; readonly version: number; readonly snapshotVersion?: number },
    call: CallOptions,
  ): Promise<void> {
    if (snapshot === undefined || loaded.version - (loaded.snapshotVersion ?? -1) < snapshot.every) return;
    const { record = (state: State) => state as JsonValue, onFailure } = snapshot;
    try {
      const { sourceUuid, streamUuid } = placeOf(snapshot, streamId);
      await gater.recordSnapshot(
        { storeId, sourceUuid, streamUuid, version: loaded.version, record: record(loaded.state) },
        call,
      );
    } catch (error) {
      onFailure?.(error);
    }
  }

  const handle = (command: Command, options: CommandOptions = {}): Promise<CommandResult> =>
    options.expectedVersion === undefined
      ? retry(() => attempt(command, options), options.signal)
      : attempt(command, options);
  return Object.assign(handle, { initialState, evolve, decide });
}

function placeOf<State>({ name, restore, onFailure }: SnapshotRule<State>, streamId: string) {
  const place = { sourceUuid: name, streamUuid: streamId };
  if (restore === undefined) return place;
  return {
    ...place,
    /** The events have everything that a snapshot has: without it the command only reads more. */
    restore(snapshot: Snapshot): State | undefined {
      try {
        return restore(snapshot);
      } catch (error) {
        onFailure?.(error);
        return undefined;
      }
    },
  };
}

function repeated(streamId: string, found: AppendOfCommand): CommandResult {
  return { streamId, ...found, duplicate: true };
}

function checkVersion(streamId: string, expected: number | undefined, actual: number): void {
  if (expected === undefined || expected === actual) return;
  throw new GaterError(
    'wrong_expected_version',
    `stream ${JSON.stringify(streamId)} is at version ${actual}, expected ${expected}`,
    { details: { streamId, expected, actual } },
  );
}
