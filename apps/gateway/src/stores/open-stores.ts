import type { StoreHealth } from '@esdb-gater/event-store';
import { finishesWithin } from '@esdb-gater/primitives';
import type { HealthReason } from '@esdb-gater/protocol';
import type { Clock, EventStore, Logger, Registry } from '@esdb-gater/types';
import type { StoreConfig } from '../config/types.ts';
import type { DataDir } from '../node/data-dir.ts';
import { openStore, whenConnected } from './open-store.ts';

/** How long a start waits for the databases of its stores. */
const CONNECTS_WITHIN_MS = 3_000;

export interface OpenStoresOptions {
  /** False in a process whose sibling opens the stores. @default true */
  readonly here?: boolean;
}

export interface OpenStoresComponents {
  readonly dataDir: DataDir;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The configured stores. */
export interface OpenedStores {
  /** The stores of this process, also those whose database was not reached yet. */
  readonly local: readonly EventStore[];
  /** Returns `ok` for each store of this gateway that has a live worker, or why not. */
  readiness(): Readonly<Record<string, string>>;
  /** Why stores of this process are not healthy, although they answer: a full disk. */
  healthReasons(): readonly HealthReason[];
  /** Waits for calls in flight and releases the files. */
  close(): Promise<void>;
}

/**
 * Opens every configured store and declares all of them in the registry. Waits a moment for databases, and then goes on
 * without those that cannot be reached: they are not ready, and say why.
 *
 * @throws the error of the first store that cannot be opened; the stores before it are closed again
 */
export async function openStores(
  configs: Readonly<Record<string, StoreConfig>>,
  components: OpenStoresComponents,
  { here = true }: OpenStoresOptions = {},
): Promise<OpenedStores> {
  const { registry, clock, logger } = components;
  const local: EventStore[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(local.map((store) => store.close()));
  };
  try {
    for (const [storeId, config] of Object.entries(configs)) {
      registry.declare(storeId);
      if (!here) continue;
      const store = await openStore(storeId, config, { ...components, requireDatabase: false });
      if (store !== undefined) local.push(store);
    }
    await Promise.all(
      local.map(async (store) => {
        if (await finishesWithin(whenConnected(store), CONNECTS_WITHIN_MS, clock)) return;
        const { storeId } = store;
        logger.warn({ storeId, reason: damageOf(store) }, 'starting without the database of the store');
      }),
    );
  } catch (error) {
    await close();
    throw error;
  }
  const isReached = (storeId: string): boolean =>
    registry.workers(storeId).some(({ workerId }) => registry.isLive(storeId, workerId));
  const wordOf = (storeId: string): string => (isReached(storeId) ? 'ok' : 'no worker answers');
  const elsewhere = here
    ? []
    : Object.keys(configs).filter((storeId) => configs[storeId]?.engine !== 'remote');
  return {
    local,
    readiness() {
      const words = local.map((store) => {
        const { storeId } = store;
        return [`store:${storeId}`, damageOf(store) ?? wordOf(storeId)] as const;
      });
      return Object.fromEntries([
        ...words,
        ...elsewhere.map((storeId) => [`store:${storeId}`, wordOf(storeId)]),
      ]);
    },
    healthReasons: () => local.flatMap(reasonsOf),
    close,
  };
}

/** A store that reports its health. */
type HealthyStore = EventStore & { health(): StoreHealth };

/** Why a store of this process cannot be used: its file is damaged, or its database cannot be reached. */
function damageOf(store: EventStore): string | undefined {
  if (!('health' in store)) return undefined;
  const { status, message } = (store as HealthyStore).health();
  return status === 'unhealthy' ? (message ?? 'the store is unhealthy') : undefined;
}

function reasonsOf(store: EventStore): readonly HealthReason[] {
  if (!('health' in store)) return [];
  const { status, message } = (store as HealthyStore).health();
  if (status === 'healthy') return [];
  const words = message ?? `the store is ${status}`;
  return [{ component: `store:${store.storeId}`, code: 'unavailable', message: words }];
}
