import { mkdirSync } from 'node:fs';
import { connect } from '@esdb-gater/client';
import { startApplication } from './application.ts';
import type { OrderEvent } from './orders.ts';

mkdirSync('./data', { recursive: true });
const url = process.env['ESDB_GATER_URL'] ?? 'ws://127.0.0.1:4590';
const gater = await connect<OrderEvent>(url, { storeId: 'default' });
const stopApplication = await startApplication(gater);

async function close(): Promise<void> {
  await stopApplication();
  await gater.close();
}
process.once('SIGINT', close);
process.once('SIGTERM', close);
