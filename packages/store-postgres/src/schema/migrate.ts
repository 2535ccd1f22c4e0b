import { GaterError } from '@esdb-gater/types';
import type { ClientBase } from 'pg';
import { describeFailure } from '../postgres-errors.ts';
import { FUNCTIONS } from './functions.ts';
import { TABLES } from './tables.ts';
import { WRITE_ONE } from './write-one.ts';

/** The class of advisory locks of this package. */
const LOCK_CLASS = 0x45_53_44_42;

/** How long a migration waits for that of another node, and for the locks on the tables. */
const MIGRATES_WITHIN_MS = 60_000;

/** Steps from nothing to the newest version: the statements that lead to version 1, 2 and so on. */
const MIGRATIONS: readonly string[] = [
  `${TABLES}${FUNCTIONS}
   INSERT INTO store (store_uuid, schema_version) VALUES (gen_random_uuid(), 1);`,
  WRITE_ONE,
];

/** What the tables say about the store. */
export interface StoreIdentity {
  readonly storeUuid: string;
  /** The position of the first event with a hash; null without chains. */
  readonly chainStart: number | null;
  /** The channel of notifications. */
  readonly channel: string;
}

/** Returns a name as SQL. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * Makes the tables of a store when they do not exist, or brings those of an older version up to date. All of it is one
 * transaction under an advisory lock, so nodes that start at once wait for each other and a failure changes nothing. A role
 * that may not make tables can open a store that is up to date.
 *
 * @throws `unavailable` with the reason
 */
export async function migrate(
  client: ClientBase,
  schema: string,
  migrations: readonly string[] = MIGRATIONS,
): Promise<void> {
  const found = await schemaVersion(client, schema);
  if (found > migrations.length) {
    throw new GaterError(
      'unavailable',
      `the schema ${quoteName(schema)} is of version ${found}, this release knows up to ${migrations.length}; use a newer release`,
    );
  }
  if (found === migrations.length) return;
  await requireUtf8(client);
  await client.query('BEGIN');
  try {
    await client.query(`SET LOCAL lock_timeout = ${MIGRATES_WITHIN_MS}`);
    await client.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [LOCK_CLASS, schema]);
    // Another node may have done it meanwhile.
    const version = await schemaVersion(client, schema);
    if (version < migrations.length) await apply(client, schema, migrations, version);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw new GaterError(
      'unavailable',
      `the tables of schema ${quoteName(schema)} could not be brought from version ${found} to ${migrations.length}; nothing was changed: ${describeFailure(error)}`,
      { cause: error },
    );
  }
}

async function apply(
  client: ClientBase,
  schema: string,
  migrations: readonly string[],
  version: number,
): Promise<void> {
  const name = quoteName(schema);
  const { rows } = await client.query('SELECT to_regnamespace($1) AS found', [name]);
  // Not `IF NOT EXISTS`, which needs the permission to make schemas also when there is nothing to make.
  if (rows[0]?.found === null) await client.query(`CREATE SCHEMA ${name}`);
  await client.query(`SET LOCAL search_path = ${name}, pg_temp`);
  for (const statements of migrations.slice(version)) await client.query(statements);
  await client.query('UPDATE store SET schema_version = $1', [migrations.length]);
}

/** Returns true when a schema has the tables of a store. */
export async function schemaExists(client: ClientBase, schema: string): Promise<boolean> {
  return (await schemaVersion(client, schema)) > 0;
}

/** Returns the version of the tables, 0 when there are none. */
async function schemaVersion(client: ClientBase, schema: string): Promise<number> {
  const table = `${quoteName(schema)}.store`;
  const { rows } = await client.query('SELECT to_regclass($1) AS found', [table]);
  if (rows[0]?.found === null) return 0;
  const versions = await client.query(`SELECT schema_version FROM ${table}`);
  return Number(versions.rows[0]?.schema_version ?? 0);
}

async function requireUtf8(client: ClientBase): Promise<void> {
  const { rows } = await client.query('SHOW server_encoding');
  const encoding: unknown = rows[0]?.server_encoding;
  if (encoding === 'UTF8') return;
  throw new GaterError('unavailable', `the database must have the encoding UTF8, got ${String(encoding)}`);
}

/** Reads what the tables say about the store. */
export async function readIdentity(client: ClientBase, schema: string): Promise<StoreIdentity> {
  const name = quoteName(schema);
  const { rows } = await client.query(
    `SELECT store_uuid AS "storeUuid", chain_start AS "chainStart",
       'esdb_gater_' || $1::regclass::oid AS channel FROM ${name}.store`,
    [`${name}.events`],
  );
  const [identity] = rows as StoreIdentity[];
  if (identity === undefined) throw new GaterError('internal', `the table ${name}.store is empty`);
  return identity;
}

/**
 * Begins the chains of hashes with the next event, in a store that has none.
 *
 * @throws `unavailable` in a store that has them, when they are not wanted: another node would miss them
 */
export async function alignChains(
  client: ClientBase,
  schema: string,
  { chainStart }: StoreIdentity,
  tamperEvident: boolean,
): Promise<void> {
  const name = quoteName(schema);
  if (!tamperEvident) {
    if (chainStart === null) return;
    throw new GaterError(
      'unavailable',
      `the store keeps chains of hashes since position ${chainStart}: open it with \`tamperEvident\`, or end them with UPDATE ${name}.store SET chain_start = NULL`,
    );
  }
  if (chainStart !== null) return;
  await client.query('BEGIN');
  try {
    // No append may come between.
    await client.query('SELECT pg_advisory_xact_lock($1, $2::regclass::oid::integer)', [
      LOCK_CLASS,
      `${name}.events`,
    ]);
    // Hashes of chains that were ended would seem to belong to the new ones.
    await client.query(
      `DELETE FROM ${name}.event_hashes WHERE (SELECT chain_start FROM ${name}.store) IS NULL`,
    );
    await client.query(
      `UPDATE ${name}.store SET chain_start = coalesce((SELECT max(position) FROM ${name}.events), 0) + 1
       WHERE chain_start IS NULL`,
    );
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}
