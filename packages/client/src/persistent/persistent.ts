import type { PersistentSubscriptions } from '../subscriptions/persistent-subscriptions.ts';

/** Creates the receiving side of persistent subscriptions over a connection. */
export type CreatePersistent = (
  ...components: ConstructorParameters<typeof PersistentSubscriptions>
) => PersistentSubscriptions | Promise<PersistentSubscriptions>;
