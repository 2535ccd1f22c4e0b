import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  type AppendResult,
  type ErrorCode,
  type EventStore,
  type ExpectedVersion,
  GaterError,
  type NewEvent,
  type RecordedEvent,
} from '@esdb-gater/types';

/** What a store may leave out. Cases that need what it does not support are not run. */
export interface StoreSupports {
  /** `deleteStream`. @default true */
  readonly deletion?: boolean;
  /** The four calls of snapshots. @default true */
  readonly snapshots?: boolean;
  /** `queryEvents`, `readAll` with a query, and appends with a condition. @default true */
  readonly queries?: boolean;
  /** `appendToStreams`. @default true */
  readonly severalStreams?: boolean;
  /** `versionAt`. @default true */
  readonly versionAt?: boolean;
  /** Events with `dataBase64` and `contentType` instead of `data`. @default true */
  readonly bytes?: boolean;
  /** `verifyStream`; needs `openTamperEvident`. @default whether `openTamperEvident` is given */
  readonly tamperEvidence?: boolean;
  /** `feedCheckpoint` and `onCommitted`, on which the feed to the channel `events` stands. @default true */
  readonly feed?: boolean;
  /** `subscriptionState`, in which persistent subscriptions are kept. @default true */
  readonly subscriptions?: boolean;
  /** What only an object of this process has: its ids and its end, aborts, values that are not JSON. @default true */
  readonly inProcess?: boolean;
  /** Data that outlives the store object; needs `reopen`. @default whether `reopen` is given */
  readonly durability?: boolean;
}

/** How the suite gets the stores that it tests. */
export interface StoreSuiteOptions {
  /** The prefix of the cases' titles. */
  readonly name: string;
  /** Opens a store without events. The suite closes it. */
  readonly open: () => Promise<EventStore>;
  /** Closes the store and opens the same data again. */
  readonly reopen?: (store: EventStore) => Promise<EventStore>;
  /** Opens a store without events that keeps chains of hashes. The suite closes it. */
  readonly openTamperEvident?: () => Promise<EventStore>;
  readonly supports?: StoreSupports;
}

/** What a case works with: an empty store, and the way to open its data again. */
export interface StoreTrial {
  store: EventStore;
  readonly reopen: (() => Promise<EventStore>) | undefined;
  readonly openTamperEvident: (() => Promise<EventStore>) | undefined;
}

/** A case before it is bound to a store. */
export interface CaseSpec {
  readonly title: string;
  /** What the store must support. @default nothing but what every store does */
  readonly needs?: readonly (keyof StoreSupports)[];
  readonly body: (trial: StoreTrial) => Promise<void>;
}

/** An event with a fresh id. */
export function newEvent(type = 'thing_happened', rest: Partial<NewEvent> = {}): NewEvent {
  return { id: randomUUID(), type, data: { type }, ...rest };
}

/** As many events as asked, of types `e0`, `e1` and so on. */
export function newEvents(count: number): NewEvent[] {
  return Array.from({ length: count }, (_, index) => newEvent(`e${index}`));
}

export function append(
  store: EventStore,
  streamId: string,
  events: readonly NewEvent[],
  expectedVersion?: ExpectedVersion,
): Promise<AppendResult> {
  const version = expectedVersion === undefined ? {} : { expectedVersion };
  return store.appendEvents({ storeId: store.storeId, streamId, events, ...version });
}

/** Every event of a store, page by page. */
export async function readEverything(store: EventStore, limit = 1_000): Promise<RecordedEvent[]> {
  const all: RecordedEvent[] = [];
  let after: number | undefined = 0;
  while (after !== undefined) {
    const page = await store.readAll({ storeId: store.storeId, after, limit });
    all.push(...page.events);
    after = page.next;
  }
  return all;
}

/** Asserts that a call fails with that code, and with those details. */
export async function refuses(
  call: Promise<unknown>,
  code: ErrorCode,
  details: Readonly<Record<string, unknown>> = {},
): Promise<GaterError> {
  const error = await call.then(
    (result) => assert.fail(`expected ${code}, got the result ${JSON.stringify(result)}`),
    (reason: unknown) => reason,
  );
  assert.ok(GaterError.is(error), `expected a GaterError, got ${String(error)}`);
  assert.equal(error.code, code, error.message);
  for (const [name, value] of Object.entries(details)) assert.deepEqual(error.details[name], value, name);
  return error;
}

export function versions(events: readonly RecordedEvent[]): number[] {
  return events.map((event) => event.version);
}
