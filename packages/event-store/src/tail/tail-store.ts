import type { CallContext, ReadAllParams, StorePage } from '@esdb-gater/types';

/** The store that is read: an `EventStore`, or functions over a remote worker. */
export interface TailStore {
  readonly storeId: string;
  readAll(params: ReadAllParams, context?: CallContext): Promise<StorePage>;
  /**
   * Returns the events after a position from memory, at most `limit`; undefined unless the store still keeps all of them. It
   * knows every event that listeners of `onCommitted` were told of, and may be behind `readAll`.
   */
  newestEvents?(after: number, limit: number): StorePage | undefined;
  /** Without it the store is polled. */
  onCommitted?(listener: (position: number) => void): () => void;
  /**
   * True when another database may take the place of the store between two reads, as with remote workers. Each page is
   * then proved. @default false: only where a reader starts, and when the store is behind it
   */
  readonly replaceable?: boolean;
}
