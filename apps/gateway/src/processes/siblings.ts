import type { Discovery } from '@esdb-gater/types';

/** What a gateway process needs to know of the others that share its port. */
export interface Siblings {
  /** From 1. The first process has the stores and, without Kafka, the broker. */
  readonly number: number;
  /** Finds the other processes. */
  readonly discovery: Discovery;
  /** The local socket of the broker. */
  readonly brokerSocket: string;
  /** Is called with the WebSocket URL at which only the other processes reach this one. */
  readonly onPeerUrl: (url: string) => void;
}

/** Returns true when a process has the stores and the in-process broker: the first of several, or the only one. */
export function holdsStores(siblings: Siblings | undefined): boolean {
  return siblings === undefined || siblings.number === 1;
}
