import type { AppendResult, EventStore, RecordedEvent } from '@esdb-gater/types';

/** The id of the stores of these tests. */
export const STORE_ID = 's';

/** Appends one event. */
export function append(
  store: EventStore,
  streamId: string,
  rest: {
    readonly id?: string;
    readonly expectedVersion?: number;
    readonly type?: string;
    readonly data?: string;
  } = {},
): Promise<AppendResult> {
  const { expectedVersion, id = crypto.randomUUID(), type = 't', data = 'x' } = rest;
  const version = expectedVersion === undefined ? {} : { expectedVersion };
  return store.appendEvents({ storeId: STORE_ID, streamId, ...version, events: [{ id, type, data }] });
}

/** Reads every event of a store. */
export async function readEverything(store: EventStore): Promise<RecordedEvent[]> {
  const all: RecordedEvent[] = [];
  let after: number | undefined = 0;
  while (after !== undefined) {
    const page = await store.readAll({ storeId: STORE_ID, after, limit: 1_000 });
    all.push(...page.events);
    after = page.next;
  }
  return all;
}

/** Returns the error of a call that must fail. */
export async function failureOf(call: Promise<unknown>): Promise<Error & { readonly code: string }> {
  return call.then(
    () => {
      throw new Error('the call succeeded');
    },
    (error: Error & { readonly code: string }) => error,
  );
}
