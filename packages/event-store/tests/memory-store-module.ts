// What `conformance store --module` is given: the in-memory store.
import { createMemoryStore } from '@esdb-gater/event-store';
import type { EventStore } from '@esdb-gater/types';

export const name = 'memory store';

export async function openTamperEvident(): Promise<EventStore> {
  return createMemoryStore({ storeId: 'memory', tamperEvident: true });
}

export async function open(): Promise<EventStore> {
  return createMemoryStore({ storeId: 'memory' });
}
