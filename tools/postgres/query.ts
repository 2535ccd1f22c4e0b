import pg from 'pg';
import { SUPERUSER } from './node.ts';

/** Runs SQL as the superuser on the server of a port, and returns the rows of its last statement. */
export async function queryOn(port: number, sql: string): Promise<Record<string, unknown>[]> {
  await using client = await connectTo(port);
  const result: unknown = await client.query(sql);
  // Several statements have several results.
  const last = Array.isArray(result) ? result.at(-1) : result;
  return (last as pg.QueryResult).rows as Record<string, unknown>[];
}

/** Opens a connection to the server of a port, as the superuser. */
export async function connectTo(port: number): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: SUPERUSER,
    database: 'postgres',
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => {});
  await client.connect();
  return Object.assign(client, {
    async [Symbol.asyncDispose]() {
      await client.end().catch(() => {});
    },
  });
}
