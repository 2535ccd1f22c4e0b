import { checkEventContent, compareUtf8, eventMatcher } from '@esdb-gater/primitives';
import {
  GaterError,
  LIMITS,
  type RecordedEvent,
  type Snapshot,
  type StoreMethod,
  type StoreParamsOf,
  type StoreResultOf,
  type StreamAppendResult,
} from '@esdb-gater/types';

/** Throws a `Misfit` with the reason when an answer does not fit its parameters. */
type AnswerCheck<M extends StoreMethod> = (params: StoreParamsOf<M>, result: StoreResultOf<M>) => void;

/**
 * The methods whose answers can contradict their parameters. For all other methods the protocol's schemas are enough. A
 * misfit is the worker's fault: its store may be broken, or it may answer for a different store.
 */
const CHECKS: { readonly [M in StoreMethod]?: AnswerCheck<M> } = {
  appendEvents: (params, result) => checkAppend('the result', params, result),
  appendToStreams({ appends }, { results }) {
    same('the number of `results`', results.length, appends.length);
    const [{ duplicate } = { duplicate: false }] = results;
    let last: number | undefined;
    appends.forEach((append, index) => {
      const result = results[index] as StreamAppendResult;
      const what = `\`results[${index}]\``;
      checkAppend(what, append, result);
      same(`\`duplicate\` of ${what}`, result.duplicate, duplicate);
      if (duplicate || result.position === undefined) return;
      // All events of a call stand next to each other.
      if (last !== undefined) same(`\`position\` of ${what}`, result.position, last + result.count);
      last = result.position;
    });
  },
  getEvents: checkStreamPage,
  getStreams: checkStreamNames,
  deleteStream({ expectedVersion = -2 }, { version }) {
    if (expectedVersion >= 0) same('`version`', version, expectedVersion);
  },
  verifyStream({ streamId }, { verified, brokenAt }) {
    if (verified && brokenAt !== undefined) throw misfit(`\`brokenAt\` of ${streamId} must be absent`);
  },
  readAll: checkStorePage,
  queryEvents: checkStorePage,
  readSnapshot(params, snapshot) {
    checkSnapshot('the snapshot', params, snapshot);
    if (params.version !== undefined) same('`version`', snapshot.version, params.version);
  },
  listSnapshots(params, { snapshots }) {
    let before = Number.POSITIVE_INFINITY;
    snapshots.forEach((snapshot, index) => {
      const what = `\`snapshots[${index}]\``;
      checkSnapshot(what, params, snapshot);
      if (snapshot.version >= before) throw misfit(`${what} must be older than the one before it`);
      before = snapshot.version;
    });
  },
};

/**
 * Compares an answer of a worker with the question: its store, stream, versions, positions, order and counts.
 *
 * @param result has passed `validateResult`
 * @throws `internal`
 */
export function checkAnswer<M extends StoreMethod>(
  method: M,
  params: StoreParamsOf<M>,
  result: StoreResultOf<M>,
): void {
  const check: AnswerCheck<M> | undefined = CHECKS[method];
  try {
    check?.(params, result);
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    throw new GaterError('internal', `the answer to ${method} does not fit the question: ${error.message}`, {
      details: { storeId: params.storeId, method },
    });
  }
}

class Misfit extends Error {}

function misfit(message: string): Misfit {
  return new Misfit(message);
}

function same(what: string, actual: unknown, expected: unknown, unit: string = ''): void {
  if (actual === expected) return;
  const shown = (value: unknown): string => String(JSON.stringify(value)).slice(0, 80);
  throw misfit(`${what} must be ${shown(expected)}${unit && ` ${unit}`}, got ${shown(actual)}`);
}

function atMost(what: string, actual: number, max: number): void {
  if (actual > max) throw misfit(`${what} must be at most ${max}, got ${actual}`);
}

function atLeast(what: string, actual: number, min: number): void {
  if (actual < min) throw misfit(`${what} must be at least ${min}, got ${actual}`);
}

function above(what: string, actual: number, floor: number): void {
  if (actual <= floor) throw misfit(`${what} must be above ${floor}, got ${actual}`);
}

function checkAppend(
  what: string,
  { expectedVersion = -2, events }: Pick<StoreParamsOf<'appendEvents'>, 'expectedVersion' | 'events'>,
  { version, position, count, duplicate }: StreamAppendResult,
): void {
  same(`\`count\` of ${what}`, count, events.length);
  if (count === 0) {
    // It only checks the version of its stream.
    if (!duplicate && expectedVersion >= 0) same(`\`version\` of ${what}`, version, expectedVersion);
    same(`\`position\` of ${what}`, position, undefined);
    return;
  }
  if (position === undefined) throw misfit(`\`position\` of ${what} must be a position`);
  atLeast(`\`version\` of ${what}`, version, count - 1);
  atLeast(`\`position\` of ${what}`, position, count);
  // A duplicate returns the version and position of the original append. A deleted stream begins again at any version.
  if (!duplicate && expectedVersion >= 0) same(`\`version\` of ${what}`, version, expectedVersion + count);
}

function checkEvent(what: string, { storeId }: { readonly storeId: string }, event: RecordedEvent): void {
  same(`\`storeId\` of ${what}`, event.storeId, storeId);
  try {
    checkEventContent(event, what);
  } catch (error) {
    throw misfit((error as Error).message);
  }
}

function checkStreamPage(
  params: StoreParamsOf<'getEvents'>,
  { events, version, next }: StoreResultOf<'getEvents'>,
): void {
  const { streamId, startVersion, count = LIMITS.pageCountDefault, direction = 'forward' } = params;
  const backward = direction === 'backward';
  atMost('the number of events', events.length, count);
  // The number of versions before the start, in the direction of the read.
  const step = backward ? -1 : 1;
  const start = startVersion ?? (backward ? -1 : 0);
  let last = backward ? (start === -1 ? version + 1 : start + 1) : start - 1;
  let position: number | undefined;
  events.forEach((event, index) => {
    const what = `\`events[${index}]\``;
    checkEvent(what, params, event);
    same(`\`streamId\` of ${what}`, event.streamId, streamId);
    atMost(`\`version\` of ${what}`, event.version, version);
    if ((event.version - last) * step <= 0) {
      throw misfit(
        `\`version\` of ${what} must be ${backward ? 'below' : 'above'} ${last}, got ${event.version}`,
      );
    }
    // The first event may come after a deleted part of the stream; from there on there are no gaps.
    if (index > 0) same(`\`version\` of ${what}`, event.version, last + step);
    if (position !== undefined && (event.position - position) * step <= 0) {
      throw misfit(
        `\`position\` of ${what} must be ${backward ? 'below' : 'above'} ${position}, got ${event.position}`,
      );
    }
    last = event.version;
    position = event.position;
  });
  if (next === undefined) return;
  if (events.length === 0) throw misfit('`next` must be absent on a page without events');
  if ((next - last) * step <= 0) {
    throw misfit(`\`next\` must be ${backward ? 'below' : 'above'} ${last}, got ${next}`);
  }
  atMost('`next`', next, version);
}

function checkStorePage(
  params: StoreParamsOf<'readAll'>,
  { events, lastPosition, next }: StoreResultOf<'readAll'>,
): void {
  const { after = 0, limit = LIMITS.pageCountDefault, query } = params;
  atMost('the number of events', events.length, limit);
  const matches = query === undefined ? undefined : eventMatcher(query);
  let last = after;
  const versions = new Map<string, number>();
  events.forEach((event, index) => {
    const what = `\`events[${index}]\``;
    checkEvent(what, params, event);
    above(`\`position\` of ${what}`, event.position, last);
    last = event.position;
    above(`\`version\` of ${what}`, event.version, versions.get(event.streamId) ?? -1);
    versions.set(event.streamId, event.version);
    if (matches?.(event) === false) throw misfit(`${what} must match the query`);
  });
  if (events.length > 0) atLeast('`lastPosition`', lastPosition, last);
  // Without a query a page has every event up to `lastPosition`: the next page starts there, so missing events would be
  // skipped.
  if (query === undefined) atMost('`lastPosition`', lastPosition, last);
  if (next === undefined) return;
  if (events.length === 0) throw misfit('`next` must be absent on a page without events');
  atLeast('`next`', next, last);
  atMost('`next`', next, lastPosition);
}

function checkStreamNames(
  { prefix = '', after, limit = LIMITS.pageCountDefault }: StoreParamsOf<'getStreams'>,
  { streams, next }: StoreResultOf<'getStreams'>,
): void {
  atMost('the number of streams', streams.length, limit);
  let last = after;
  streams.forEach((name, index) => {
    const what = `\`streams[${index}]\``;
    if (!name.startsWith(prefix)) throw misfit(`${what} must begin with the prefix`);
    if (last !== undefined && compareUtf8(name, last) <= 0)
      throw misfit(`${what} must come after the name before it`);
    last = name;
  });
  if (next === undefined) return;
  if (streams.length === 0 && (after === undefined || compareUtf8(next, after) <= 0)) {
    throw misfit('`next` must be absent on a page without streams');
  }
  if (last !== undefined && compareUtf8(next, last) < 0)
    throw misfit('`next` must not come before the last stream');
}

function checkSnapshot(what: string, params: StoreParamsOf<'listSnapshots'>, snapshot: Snapshot): void {
  same(`\`sourceUuid\` of ${what}`, snapshot.sourceUuid, params.sourceUuid);
  same(`\`streamUuid\` of ${what}`, snapshot.streamUuid, params.streamUuid);
}
