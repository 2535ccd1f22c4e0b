import type pg from 'pg';

/** Prepares the statements of a session. Their texts are few: values are parameters. */
export interface Statements {
  /** Returns a query that the server parses and plans at its first call on a connection only, where that is possible. */
  query(text: string, values: readonly unknown[]): pg.QueryConfig;
}

/**
 * Creates the statements of the connections to one server.
 *
 * @param named false behind a pooler of transactions, which does not keep prepared statements
 */
export function createStatements(named: boolean): Statements {
  const names = new Map<string, string>();
  return {
    query(text, values) {
      const query = { text, values: [...values] };
      if (!named) return query;
      let name = names.get(text);
      if (name === undefined) {
        name = `esdb_gater_${names.size}`;
        names.set(text, name);
      }
      return { ...query, name };
    },
  };
}
