// Contestant: message-db, whose functions are called over a pool of connections, as its clients do.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { driveAppends, driveReads } from '../stores/drive.ts';
import { eventData, PAGE, STREAM_EVENTS } from '../stores/workload.ts';

const SOURCE = join(import.meta.dirname, '..', 'peers/node_modules/@eventide/message-db/database');
const POOL = 20;

const [url = '', mode, writers, durationMs] = process.argv.slice(2);
const pool = new pg.Pool({
  connectionString: url,
  max: POOL,
  options: '-c search_path=message_store,public',
});
await install();

/** Does what the scripts of the package do with psql. */
async function install(): Promise<void> {
  const client = await pool.connect();
  const run = async (...path: string[]): Promise<void> => {
    await client.query(readFileSync(join(SOURCE, ...path), 'utf8'));
  };
  await client.query(
    'DO $$ BEGIN CREATE ROLE message_store; EXCEPTION WHEN duplicate_object THEN NULL; END $$',
  );
  await run('schema', 'message-store.sql');
  await run('extensions', 'pgcrypto.sql');
  await run('tables', 'messages.sql');
  await run('types', 'message.sql');
  // Some are in SQL, and need those that they call.
  const functions = [
    'hash-64.sql',
    'category.sql',
    'stream-version.sql',
    'id.sql',
    'cardinal-id.sql',
    'acquire-lock.sql',
  ];
  const others = readdirSync(join(SOURCE, 'functions')).filter((file) => !functions.includes(file));
  for (const file of [...functions, ...others]) await run('functions', file);
  // They are made with CONCURRENTLY, each alone.
  for (const file of readdirSync(join(SOURCE, 'indexes'))) {
    const statements = readFileSync(join(SOURCE, 'indexes', file), 'utf8').split(';');
    for (const statement of statements) if (statement.trim() !== '') await client.query(statement);
  }
  client.release();
}

const append = (stream: string, version: number, data: object): Promise<unknown> =>
  pool.query('SELECT write_message($1, $2, $3, $4, $5, $6)', [
    crypto.randomUUID(),
    stream,
    'happened',
    JSON.stringify(data),
    null,
    version - 1,
  ]);

if (mode === 'append') {
  const { acknowledged, ...figures } = await driveAppends(
    Number(writers),
    Number(durationMs),
    async (writer, version) => {
      await append(`stream-${writer}`, version, eventData(writer, version));
    },
  );
  for (const [writer, count] of acknowledged.entries()) {
    const { rows } = await pool.query('SELECT stream_version($1) AS version', [`stream-${writer}`]);
    if (Number(rows[0]?.version) !== count - 1) throw new Error(`stream ${writer} is at ${rows[0]?.version}`);
  }
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} else {
  await pool.query(
    `SELECT write_message(gen_random_uuid()::varchar, 'read-1', 'happened', data.value, NULL, data.ordinality - 2)
     FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS data`,
    [JSON.stringify(Array.from({ length: STREAM_EVENTS }, (_, version) => eventData(0, version)))],
  );
  const read = async (): Promise<number> => {
    let count = 0;
    for (let start = 0; start < STREAM_EVENTS; start += PAGE) {
      const { rows } = await pool.query('SELECT * FROM get_stream_messages($1, $2, $3)', [
        'read-1',
        start,
        PAGE,
      ]);
      for (const { data } of rows as { readonly data: string }[]) {
        if ((JSON.parse(data) as { version: number }).version !== count)
          throw new Error(`event ${count} is out of order`);
        count += 1;
      }
    }
    return count;
  };
  const eventsPerSecond = await driveReads(Number(durationMs), read, STREAM_EVENTS);
  process.stdout.write(`${JSON.stringify({ eventsPerSecond })}\n`);
}
await pool.end();
