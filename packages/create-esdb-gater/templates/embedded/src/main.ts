import { mkdirSync } from 'node:fs';
import { openGater } from '@esdb-gater/embedded';
import { startApplication } from './application.ts';
import type { OrderEvent } from './orders.ts';

mkdirSync('./data', { recursive: true });
const gater = await openGater<OrderEvent>({
  stores: { default: { engine: 'sqlite', file: './data/events.db' } },
});
const stopApplication = await startApplication(gater);

// Holds the program until a signal, as the server of an application does.
const running = setInterval(() => {}, 60_000);

async function close(): Promise<void> {
  clearInterval(running);
  await stopApplication();
  await gater.close();
}
process.once('SIGINT', close);
process.once('SIGTERM', close);
