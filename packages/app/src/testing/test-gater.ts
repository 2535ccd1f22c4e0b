import { createMemoryStore, createStoreWorker, createSubscriptions } from '@esdb-gater/event-store';
import type { AnyEvent } from '@esdb-gater/gater';
import { createGater, type LocalGater } from '@esdb-gater/gater/in-process';
import { createFakeClock, type FakeClock } from '@esdb-gater/primitives/testing';
import { createRegistry } from '@esdb-gater/registry';
import type { NewEvent } from '@esdb-gater/types';

export interface TestGaterOptions {
  /** The first is the store of calls that name none. @default ['default'] */
  readonly storeIds?: readonly string[];
  /** @default a clock that stands at 2026-01-01T00:00:00Z until the test moves it */
  readonly clock?: FakeClock;
}

/** A `Gater` for tests: it keeps everything in memory, and its clock moves when the test says so. */
export type TestGater<E extends AnyEvent = NewEvent> = LocalGater<E> & { readonly clock: FakeClock };

/** Creates an in-memory `Gater` with streams, snapshots, follows and persistent subscriptions, and a clock of its own. */
export function createTestGater<E extends AnyEvent = NewEvent>(options: TestGaterOptions = {}): TestGater<E> {
  const { storeIds = ['default'], clock = createFakeClock() } = options;
  const stores = storeIds.map((storeId) => createMemoryStore({ storeId, clock }));
  const registry = createRegistry({ clock });
  for (const store of stores) registry.register(createStoreWorker(store, { nodeId: 'test', clock }));
  const subscriptions = createSubscriptions({ stores, clock });
  const [storeId] = storeIds;
  const gater = createGater<E>({ registry, subscriptions, clock }, storeId === undefined ? {} : { storeId });
  const closeGater = gater.close;
  const close = async (): Promise<void> => {
    await closeGater();
    await subscriptions.close();
    registry.close();
    for (const store of stores) await store.close();
  };
  return Object.assign(gater, { clock, close, [Symbol.asyncDispose]: close });
}
