import type {
  NotOpened,
  ProjectionCheckpoint,
  ProjectionGeneration,
  ProjectionStore,
  ProjectionTransaction,
} from '../projections/projection-store.ts';
import { checkTables, createTables, createViews, type SqlTables, tableOf } from './sql-tables.ts';

export type SqlValue = string | number | null;
export type SqlRow = Readonly<Record<string, unknown>>;

/** A connection that is used by nobody else until it is released. */
export interface SqlSession<Model> {
  /** Runs one statement. Parameters are written `$1`, `$2`. */
  query(sql: string, values?: readonly SqlValue[]): Promise<readonly SqlRow[]>;
  /** Returns what `handle` writes to. `table` returns the quoted table of the generation. */
  model(generation: number, table: (name: string) => string): Model;
  /** Gives the connection back; with an error it may be broken. */
  release(error?: unknown): void;
}

/** What differs between databases. */
export interface SqlDialect<Model> {
  session(): Promise<SqlSession<Model>>;
  readonly begin: string;
  /** Follows the SELECT of a row that the transaction will change. */
  readonly forUpdate: string;
  /** Runs first where generations are made and switched, so that two processes do it one after the other. */
  readonly exclusive?: string;
  /** Comes before each table: `"schema".` or nothing. */
  readonly prefix: string;
}

const TABLE = 'esdb_gater_projections';

/** Keeps read models in the tables of a SQL database. */
export class SqlProjections<Model> implements ProjectionStore<Model> {
  readonly #dialect: SqlDialect<Model>;
  readonly #tables: SqlTables;
  readonly #checkpoints: string;
  #prepared: Promise<unknown> | undefined;

  /** @throws `invalid_argument` (reason `tables`) */
  constructor(dialect: SqlDialect<Model>, tables: SqlTables) {
    checkTables(tables);
    this.#dialect = dialect;
    this.#tables = tables;
    this.#checkpoints = `${dialect.prefix}"${TABLE}"`;
  }

  async generations(name: string): Promise<readonly ProjectionGeneration[]> {
    await this.#prepare();
    const session = await this.#dialect.session();
    try {
      const rows = await this.#rows(session, name);
      session.release();
      return rows;
    } catch (error) {
      session.release(error);
      throw error;
    }
  }

  async create(name: string, version: number): Promise<ProjectionGeneration> {
    await this.#prepare();
    const { prefix } = this.#dialect;
    return this.#exclusively(async (session) => {
      const rows = await this.#rows(session, name);
      const building = rows.find((row) => row.version === version && !row.isLive);
      if (building !== undefined) return building;
      const generation = Math.max(0, ...rows.map((row) => row.generation)) + 1;
      const isLive = rows.length === 0;
      const names = Object.keys(this.#tables);
      for (const statement of createTables(this.#tables, generation, prefix)) await session.query(statement);
      if (isLive) {
        for (const statement of createViews(names, generation, prefix)) await session.query(statement);
      }
      await session.query(
        `INSERT INTO ${this.#checkpoints} (name, generation, version, is_live, position, event_id, tables)
         VALUES ($1, $2, $3, $4, 0, NULL, $5)`,
        [name, generation, version, isLive ? 1 : 0, JSON.stringify(names)],
      );
      return { generation, version, isLive, position: 0 };
    });
  }

  async begin(
    name: string,
    generation: number,
    position: number,
  ): Promise<ProjectionTransaction<Model> | NotOpened> {
    await this.#prepare();
    const { begin, forUpdate, prefix } = this.#dialect;
    const session = await this.#dialect.session();
    let refusal: NotOpened | undefined;
    try {
      await session.query(begin);
      const [row] = await session.query(
        `SELECT position FROM ${this.#checkpoints} WHERE name = $1 AND generation = $2${forUpdate}`,
        [name, generation],
      );
      if (row === undefined) refusal = 'replaced';
      else if (Number(row['position']) !== position) refusal = 'moved';
    } catch (error) {
      await rollBack(session, error);
      throw error;
    }
    if (refusal !== undefined) {
      await rollBack(session);
      return refusal;
    }
    return {
      model: session.model(generation, (table) => `${prefix}"${tableOf(table, generation)}"`),
      commit: async (checkpoint: ProjectionCheckpoint) => {
        await session.query(
          `UPDATE ${this.#checkpoints} SET position = $1, event_id = $2 WHERE name = $3 AND generation = $4`,
          [checkpoint.position, checkpoint.eventId ?? null, name, generation],
        );
        await session.query('COMMIT');
        session.release();
      },
      rollback: () => rollBack(session),
    };
  }

  async switchTo(name: string, generation: number): Promise<boolean> {
    await this.#prepare();
    const { prefix } = this.#dialect;
    return this.#exclusively(async (session) => {
      const rows = await session.query(
        `SELECT generation, tables FROM ${this.#checkpoints} WHERE name = $1${this.#dialect.forUpdate}`,
        [name],
      );
      if (!rows.some((row) => Number(row['generation']) === generation)) return false;
      const names = Object.keys(this.#tables);
      const others = rows.filter((row) => Number(row['generation']) !== generation);
      for (const row of others) {
        const tables = JSON.parse(String(row['tables'])) as readonly string[];
        for (const table of tables) {
          await session.query(`DROP VIEW IF EXISTS ${prefix}"${table}"`);
          await session.query(`DROP TABLE IF EXISTS ${prefix}"${tableOf(table, Number(row['generation']))}"`);
        }
      }
      for (const statement of createViews(names, generation, prefix)) await session.query(statement);
      await session.query(`DELETE FROM ${this.#checkpoints} WHERE name = $1 AND generation <> $2`, [
        name,
        generation,
      ]);
      await session.query(`UPDATE ${this.#checkpoints} SET is_live = 1 WHERE name = $1`, [name]);
      return true;
    });
  }

  async #rows(session: SqlSession<Model>, name: string): Promise<readonly ProjectionGeneration[]> {
    const rows = await session.query(
      `SELECT generation, version, is_live, position, event_id FROM ${this.#checkpoints}
       WHERE name = $1 ORDER BY generation`,
      [name],
    );
    return rows.map((row) => ({
      generation: Number(row['generation']),
      version: Number(row['version']),
      isLive: Number(row['is_live']) === 1,
      position: Number(row['position']),
      ...(row['event_id'] === null ? {} : { eventId: String(row['event_id']) }),
    }));
  }

  #prepare(): Promise<unknown> {
    this.#prepared ??= this.#exclusively((session) =>
      session.query(`CREATE TABLE IF NOT EXISTS ${this.#checkpoints} (
        name TEXT NOT NULL, generation INTEGER NOT NULL, version INTEGER NOT NULL, is_live INTEGER NOT NULL,
        position BIGINT NOT NULL, event_id TEXT, tables TEXT NOT NULL, PRIMARY KEY (name, generation))`),
    ).catch((error: unknown) => {
      this.#prepared = undefined;
      throw error;
    });
    return this.#prepared;
  }

  async #exclusively<T>(run: (session: SqlSession<Model>) => Promise<T>): Promise<T> {
    const session = await this.#dialect.session();
    try {
      await session.query(this.#dialect.begin);
      if (this.#dialect.exclusive !== undefined) await session.query(this.#dialect.exclusive);
      const result = await run(session);
      await session.query('COMMIT');
      session.release();
      return result;
    } catch (error) {
      await rollBack(session, error);
      throw error;
    }
  }
}

/** Rolls back and gives the connection back. A connection that cannot roll back is broken, and is given up. */
async function rollBack(session: SqlSession<unknown>, cause?: unknown): Promise<void> {
  try {
    await session.query('ROLLBACK');
    session.release();
  } catch (error) {
    session.release(cause ?? error);
  }
}
