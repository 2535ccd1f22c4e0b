import type { CallContext, ReadAllParams, StorePage } from '@esdb-gater/types';

/** The store whose events are fed: an `EventStore`, or functions over a remote worker. */
export interface FeedStore {
  readonly storeId: string;
  readAll(params: ReadAllParams, context?: CallContext): Promise<StorePage>;
  /** Without it the store is polled. */
  onCommitted?(listener: (position: number) => void): () => void;
  /**
   * True when another database may take the place of the store between two reads, as with remote workers. Each page is
   * then proved. @default false: only where the feed starts, and when the store is behind the feed
   */
  readonly replaceable?: boolean;
}
