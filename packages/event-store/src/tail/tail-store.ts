import type { CallContext, ReadAllParams, StorePage } from '@esdb-gater/types';

/** The store that is read: an `EventStore`, or functions over a remote worker. */
export interface TailStore {
  readonly storeId: string;
  readAll(params: ReadAllParams, context?: CallContext): Promise<StorePage>;
  /** Without it the store is polled. */
  onCommitted?(listener: (position: number) => void): () => void;
  /**
   * True when another database may take the place of the store between two reads, as with remote workers. Each page is
   * then proved. @default false: only where a reader starts, and when the store is behind it
   */
  readonly replaceable?: boolean;
}
