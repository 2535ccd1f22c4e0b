import { PersistentSubscriptions } from '../subscriptions/persistent-subscriptions.ts';
import type { CreatePersistent } from './persistent.ts';

export const createPersistent: CreatePersistent = (connection, call, settings) =>
  new PersistentSubscriptions(connection, call, settings);
