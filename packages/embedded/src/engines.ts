import { createMemoryStore } from '@esdb-gater/event-store';
import { invalidOption } from '@esdb-gater/primitives';
import { type Clock, type EventStore, GaterError, type Logger } from '@esdb-gater/types';

interface StoreOptions {
  /** Publishes the events of the store on the channel `events`. @default true */
  readonly feed?: boolean;
  /** Keeps a chain of hashes per stream, for `verifyStream`. @default false */
  readonly tamperEvident?: boolean;
}

/** Events in memory: they end with the process. */
export interface MemoryStoreConfig extends StoreOptions {
  readonly engine: 'memory';
}

/** Events in a SQLite file, by `@esdb-gater/store-sqlite`, which the program installs. */
export interface SqliteStoreConfig extends StoreOptions {
  readonly engine: 'sqlite';
  readonly file: string;
}

/** Events in PostgreSQL, by `@esdb-gater/store-postgres`, which the program installs. */
export interface PostgresStoreConfig extends StoreOptions {
  readonly engine: 'postgres';
  readonly url: string;
  readonly schema?: string;
}

/**
 * A store of the program: what to open, or a store that the program has opened itself. The program then closes it, after
 * the `Gater`.
 */
export type EmbeddedStore = MemoryStoreConfig | SqliteStoreConfig | PostgresStoreConfig | EventStore;

export interface OpenedStore {
  readonly store: EventStore;
  /** The engine, for spans; undefined for a store of the program. */
  readonly system?: string;
  readonly isFed: boolean;
  /** The events end with the process, so a position of the feed is not valid in another one. */
  readonly isEphemeral: boolean;
  close(): Promise<void>;
}

interface Components {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What an engine's package exports, for a program that has installed it. */
type OpenStore = (options: object) => Promise<EventStore>;

const ENGINES = {
  sqlite: { name: '@esdb-gater/store-sqlite', open: 'openSqliteStore' },
  postgres: { name: '@esdb-gater/store-postgres', open: 'openPostgresStore' },
} as const;

/**
 * Opens a store, or takes one that is open.
 *
 * @throws `invalid_argument` (reason `engine`), `not_supported` when the engine's package is not installed, and what the
 * engine throws
 */
export async function openStore(
  storeId: string,
  config: EmbeddedStore,
  components: Components,
): Promise<OpenedStore> {
  if ('appendEvents' in config) {
    return { store: config, isFed: true, isEphemeral: false, close: async () => {} };
  }
  const { engine, feed: isFed = true, tamperEvident = false } = config;
  const common = { storeId, tamperEvident, ...components };
  const opened = (store: EventStore, isEphemeral: boolean): OpenedStore => ({
    store,
    system: engine,
    isFed,
    isEphemeral,
    close: () => store.close(),
  });
  switch (engine) {
    case 'memory':
      return opened(createMemoryStore(common), true);
    case 'sqlite':
      return opened(await (await packageOf(engine))({ ...common, file: config.file }), false);
    case 'postgres': {
      const { url, schema } = config;
      const place = schema === undefined ? { url } : { url, schema };
      return opened(await (await packageOf(engine))({ ...common, ...place }), false);
    }
    default:
      throw invalidOption(
        `stores.${storeId}.engine`,
        engine,
        'memory, sqlite or postgres, or an open store',
        {
          reason: 'engine',
        },
      );
  }
}

async function packageOf(engine: keyof typeof ENGINES): Promise<OpenStore> {
  const { name, open } = ENGINES[engine];
  let found: Readonly<Record<string, unknown>>;
  try {
    // By a variable: the package is installed only by programs that use the engine.
    found = (await import(name)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw new GaterError(
      'not_supported',
      `the engine ${engine} needs the package ${name}: npm install ${name}`,
      {
        cause: error,
      },
    );
  }
  return found[open] as OpenStore;
}
