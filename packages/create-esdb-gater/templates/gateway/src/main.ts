import { mkdirSync } from 'node:fs';
import { loadConfig, startGateway } from '@esdb-gater/gateway';
import { startApplication } from './application.ts';
import type { OrderEvent } from './orders.ts';

mkdirSync('./data', { recursive: true });
// Other programs connect to the gateway; this one uses it in process.
const gateway = await startGateway(loadConfig({ env: process.env }));
const gater = gateway.gater.withEvents<OrderEvent>();
const stopApplication = await startApplication(gater);

async function close(): Promise<void> {
  await stopApplication();
  await gateway.close();
}
process.once('SIGINT', close);
process.once('SIGTERM', close);
