import type { CreatePersistent } from './persistent.ts';

/** Loads the code of persistent subscriptions when a page has its first one. */
export const createPersistent: CreatePersistent = async (connection, call, settings) => {
  const { PersistentSubscriptions } = await import('../subscriptions/persistent-subscriptions.ts');
  return new PersistentSubscriptions(connection, call, settings);
};
