import { invalidOption } from '@esdb-gater/primitives';
import type { ProjectionStore } from '../projections/projection-store.ts';
import { type SqlDialect, SqlProjections, type SqlRow } from '../sql/sql-projections.ts';
import type { SqlTables } from '../sql/sql-tables.ts';

/** A connection of a pool, as `pg` has it. */
export interface PostgresClient {
  query(sql: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
  /** With an error the pool closes the connection. */
  release(error?: Error | boolean): void;
}

/** A pool of connections: a `Pool` of `pg`, or one with the same methods. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
}

/** What `handle` writes to: the open transaction. */
export interface PostgresModel {
  readonly generation: number;
  /** Returns the quoted name of a table of this generation, with its schema. */
  table(name: string): string;
  /** Runs a statement and returns its rows. Parameters are written `$1`, `$2`. */
  query(sql: string, ...values: unknown[]): Promise<readonly SqlRow[]>;
}

export interface PostgresProjectionsOptions {
  readonly tables: SqlTables;
  /** The schema of the tables, which must exist. @default 'public' */
  readonly schema?: string;
}

/** Any number: all processes that make or switch generations take this lock for that moment. */
const LOCK = 7_236_401_845;

/**
 * Creates a store of read models in PostgreSQL. Each of `tables` is made once per generation; readers select from a view of the
 * same name, which shows the live generation. A projection uses one connection of the pool, and two during a rebuild.
 *
 * @throws `invalid_argument` (reasons `tables`, `schema`) for a name that is not an identifier
 */
export function postgresProjections(
  pool: PostgresPool,
  { tables, schema = 'public' }: PostgresProjectionsOptions,
): ProjectionStore<PostgresModel> {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(schema)) {
    throw invalidOption('schema', schema, 'an identifier of 1 to 63 characters (A-Z, a-z, 0-9, _)');
  }
  return new SqlProjections(dialectOf(pool, schema), tables);
}

function dialectOf(pool: PostgresPool, schema: string): SqlDialect<PostgresModel> {
  return {
    begin: 'BEGIN',
    forUpdate: ' FOR UPDATE',
    exclusive: `SELECT pg_advisory_xact_lock(${LOCK})`,
    prefix: `"${schema}".`,
    async session() {
      const client = await pool.connect();
      const query = async (sql: string, values: readonly unknown[] = []): Promise<readonly SqlRow[]> => {
        const { rows } = await client.query(sql, [...values]);
        return rows as SqlRow[];
      };
      return {
        query,
        model: (generation, table) => ({
          generation,
          table,
          query: (sql, ...values) => query(sql, values),
        }),
        release: (error) => client.release(error !== undefined),
      };
    },
  };
}
