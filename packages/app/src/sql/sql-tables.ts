import { invalidOption } from '@esdb-gater/primitives';

/** The columns of a table, as SQL between the parentheses of `CREATE TABLE`, and what it is looked up by. */
export interface SqlTable {
  readonly columns: string;
  /** The columns of each index. */
  readonly indexes?: readonly (readonly string[])[];
}

/** The tables of a read model, by the names that readers use. */
export interface SqlTables {
  readonly [name: string]: string | SqlTable;
}

/** Leaves room for the number of the generation and of the index in the 63 bytes of PostgreSQL. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,39}$/;

/** @throws `invalid_argument` (reason `tables`) for a name that is not an identifier of at most 40 characters */
export function checkTables(tables: SqlTables): void {
  for (const [name, table] of Object.entries(tables)) {
    const columns = typeof table === 'string' ? [] : (table.indexes ?? []).flat();
    const wrong = [name, ...columns].find((one) => !NAME.test(one));
    if (wrong === undefined) continue;
    throw invalidOption('tables', wrong, 'identifiers of 1 to 40 characters (A-Z, a-z, 0-9, _)', {
      reason: 'tables',
    });
  }
}

/** Returns the table of a generation, without its schema. */
export function tableOf(name: string, generation: number): string {
  return `${name}__${generation}`;
}

/** Returns the statements that make the tables of a generation. `prefix` is that of the schema, such as `"app".`. */
export function createTables(tables: SqlTables, generation: number, prefix: string): string[] {
  return Object.entries(tables).flatMap(([name, given]) => {
    const { columns, indexes = [] } = typeof given === 'string' ? { columns: given } : given;
    const table = tableOf(name, generation);
    return [
      `CREATE TABLE ${prefix}"${table}" (${columns})`,
      ...indexes.map((of, index) => {
        const list = of.map((column) => `"${column}"`).join(', ');
        return `CREATE INDEX "${table}_${index}" ON ${prefix}"${table}" (${list})`;
      }),
    ];
  });
}

/** Returns the statements that let readers see a generation: a view for each table, under its plain name. */
export function createViews(names: readonly string[], generation: number, prefix: string): string[] {
  return names.flatMap((name) => [
    `DROP VIEW IF EXISTS ${prefix}"${name}"`,
    `CREATE VIEW ${prefix}"${name}" AS SELECT * FROM ${prefix}"${tableOf(name, generation)}"`,
  ]);
}
