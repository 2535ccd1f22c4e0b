import { isChannelName, isErrorCode } from '@esdb-gater/types';

/** The label value of everything that is not in its closed set. */
export const OTHER = 'other';

export interface LabelValuesOptions {
  /**
   * The configured stores, which always have their own label value. With it, any other store is `other` until a worker
   * registers for it.
   *
   * @default the program that runs chooses its store ids itself: the first 500 are label values as they come
   */
  readonly configuredStores?: Iterable<string>;
  /** Whether a name is a method. @default all are: programs do not make up method names */
  readonly isMethod?: (name: string) => boolean;
}

/**
 * Maps names to label values from closed sets. Callers choose store ids and method names. Without this mapping, made-up
 * names would use up the exporter's memory and hide the series of real ones. An unknown name becomes `other` from its
 * first call.
 */
export interface LabelValues {
  /** The id of a store that is configured or has had a worker, else `other`. */
  store(storeId: string): string;
  /** True for a store that an operator configured. */
  isConfigured(storeId: string): boolean;
  /** Gives a store its own label value, because a worker registered for it. */
  addStore(storeId: string): void;
  method(name: string): string;
  channel(name: string): string;
  /** `ok` or the code of an error, else `other`. */
  outcome(code: string): string;
}

/**
 * Maximum number of stores that are not configured and have their own label value. Without a limit, whoever may
 * register workers could make up any number of stores. Stores beyond it are `other`; those before it keep their label
 * values.
 */
const MAX_ADDED_STORES = 500;

/** Creates the closed sets. One instance serves all exporters of a process, so that they agree. */
export function createLabelValues(options: LabelValuesOptions = {}): LabelValues {
  const { configuredStores, isMethod = () => true } = options;
  const configured: ReadonlySet<string> = new Set(configuredStores);
  const added = new Set<string>();
  const addStore = (storeId: string): void => {
    if (added.size < MAX_ADDED_STORES && !configured.has(storeId)) added.add(storeId);
  };
  return {
    store(storeId) {
      if (configuredStores === undefined) addStore(storeId);
      return configured.has(storeId) || added.has(storeId) ? storeId : OTHER;
    },
    isConfigured: (storeId) => configured.has(storeId),
    addStore,
    method: (name) => (isMethod(name) ? name : OTHER),
    channel: (name) => (isChannelName(name) ? name : OTHER),
    outcome: (code) => (code === 'ok' || isErrorCode(code) ? code : OTHER),
  };
}
