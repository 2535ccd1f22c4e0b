import type { ProjectionStore } from '../projections/projection-store.ts';
import { type SqlDialect, SqlProjections, type SqlRow, type SqlSession } from '../sql/sql-projections.ts';
import type { SqlTables } from '../sql/sql-tables.ts';
import { PreparedStatements, type SqliteDatabase, type SqliteValue } from './sqlite-database.ts';
import { whileLocked } from './while-locked.ts';

/** What `handle` writes to: the open transaction. Statements stay prepared. */
export interface SqliteModel {
  readonly generation: number;
  /** Returns the quoted name of a table of this generation. */
  table(name: string): string;
  /** Runs a statement that returns no rows. Parameters are written `?`. */
  run(sql: string, ...values: SqliteValue[]): void;
  /** Returns the first row; undefined when there is none. */
  get(sql: string, ...values: SqliteValue[]): SqlRow | undefined;
  all(sql: string, ...values: SqliteValue[]): readonly SqlRow[];
}

/**
 * Creates a store of read models in SQLite. Each of `tables` is made once per generation; readers select from a view of the same
 * name, which shows the live generation.
 *
 * Give it a connection of its own: what others write over the same connection while a transaction is open is part of it.
 *
 * @throws `invalid_argument` (reason `tables`) for a name that is not an identifier of at most 40 characters
 */
export function sqliteProjections(
  database: SqliteDatabase,
  { tables }: { readonly tables: SqlTables },
): ProjectionStore<SqliteModel> {
  return new SqlProjections(dialectOf(database), tables);
}

/** What all stores over one connection share. */
interface Connection {
  readonly statements: PreparedStatements;
  /** Settles when the last session is released: a connection has one transaction at a time. */
  turn: Promise<void>;
}

const connections = new WeakMap<SqliteDatabase, Connection>();

function connectionOf(database: SqliteDatabase): Connection {
  const known = connections.get(database) ?? {
    statements: new PreparedStatements(database),
    turn: Promise.resolve(),
  };
  connections.set(database, known);
  return known;
}

function dialectOf(database: SqliteDatabase): SqlDialect<SqliteModel> {
  const connection = connectionOf(database);
  return {
    begin: 'BEGIN IMMEDIATE',
    forUpdate: '',
    prefix: '',
    async session() {
      const before = connection.turn;
      const { promise, resolve } = Promise.withResolvers<void>();
      connection.turn = promise;
      await before;
      return sessionOf(database, connection.statements, resolve);
    },
  };
}

function sessionOf(
  database: SqliteDatabase,
  statements: PreparedStatements,
  release: () => void,
): SqlSession<SqliteModel> {
  return {
    async query(sql, values = []) {
      // Statements that make or drop tables run once, and are not kept.
      if (values.length === 0) {
        await whileLocked(() => database.exec(sql));
        return [];
      }
      return whileLocked(() => {
        const statement = statements.get(sql.replaceAll(/\$(\d)/g, '?$1'));
        if (sql.startsWith('SELECT')) return statement.all(...values) as SqlRow[];
        statement.run(...values);
        return [];
      });
    },
    model: (generation, table) => ({
      generation,
      table,
      run: (sql, ...values) => void statements.get(sql).run(...values),
      get: (sql, ...values) => statements.get(sql).get(...values) as SqlRow | undefined,
      all: (sql, ...values) => statements.get(sql).all(...values) as SqlRow[],
    }),
    release,
  };
}
