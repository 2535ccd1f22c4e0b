/**
 * A process that fires the timers that are due until it is killed, or until none waits. Argument: file of the events. It writes `ready`, and
 * a line each time a timer has had its effects and has not ended yet.
 */
import { writeSync } from 'node:fs';
import { timers } from '@esdb-gater/app';
import { createStoreWorker } from '@esdb-gater/event-store';
import { createGater } from '@esdb-gater/gater/in-process';
import { createRegistry } from '@esdb-gater/registry';
import { openSqliteStore } from '@esdb-gater/store-sqlite';

const store = await openSqliteStore({ storeId: 'default', file: process.argv[2] ?? '' });
const registry = createRegistry();
registry.register(createStoreWorker(store, { nodeId: 'child' }));
const reminders = timers<{ readonly order: number }>({
  gater: createGater({ registry }),
  name: 'reminders',
  async fire({ message }, effects) {
    await effects.append({
      streamId: `order-${message.order}`,
      events: [{ type: 'reminded', data: message.order }],
    });
    writeSync(1, `${message.order}\n`);
  },
});
writeSync(1, 'ready\n');
await reminders.start();
while (reminders.health().pending > 0) await new Promise((resolve) => setImmediate(resolve));
process.exit(0);
