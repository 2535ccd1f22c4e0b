import { subscriptionSuite } from '@esdb-gater/conformance';
import { test } from 'vitest';
import { createMemoryStore } from '../memory-store.ts';
import { createSubscriptions } from './subscriptions.ts';

for (const { title, run } of subscriptionSuite({
  name: 'memory store',
  open: async () => {
    const store = createMemoryStore({ storeId: 's' });
    return { store, subscriptions: createSubscriptions({ stores: [store] }) };
  },
})) {
  test(title, run);
}
