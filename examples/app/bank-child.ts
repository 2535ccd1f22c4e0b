/**
 * A bank in a process that is killed: carries out the transfers that wait, and kills itself at its Nth step. Arguments: file of the
 * events, step, number of transfers.
 */
import { createGater } from '@esdb-gater/client';
import { createStoreWorker, createSubscriptions } from '@esdb-gater/event-store';
import { createRegistry } from '@esdb-gater/registry';
import { openSqliteStore } from '@esdb-gater/store-sqlite';
import { type BankEvent, transferAgent } from './bank.ts';

const [, , file = '', lastStep = '', count = '0'] = process.argv;
const store = await openSqliteStore({ storeId: 'default', file });
const registry = createRegistry();
registry.register(createStoreWorker(store, { nodeId: 'bank' }));
const gater = createGater<BankEvent>({ registry, subscriptions: createSubscriptions({ stores: [store] }) });
let steps = 0;
await transferAgent(gater, () => {
  steps += 1;
  if (steps === Number(lastStep)) process.kill(process.pid, 'SIGKILL');
}).start();
let ended = 0;
const query = { items: [{ types: ['transfer_completed', 'transfer_refused'] }] };
for await (const _ of gater.follow({ storeId: 'default', query })) {
  ended += 1;
  if (ended === Number(count)) break;
}
process.exit(0);
