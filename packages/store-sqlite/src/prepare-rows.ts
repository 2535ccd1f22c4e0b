import type { DatabaseSync, SQLInputValue } from 'node:sqlite';

/** A prepared statement whose rows are arrays of the columns that it selects. */
export interface RowStatement<Columns extends readonly unknown[]> {
  get(...parameters: readonly SQLInputValue[]): Columns | undefined;
  all(...parameters: readonly SQLInputValue[]): Columns[];
  iterate(...parameters: readonly SQLInputValue[]): IterableIterator<Columns>;
}

/** Prepares a statement that reads. What its columns are is not checked: `node:sqlite` knows only that they are values. */
export function prepareRows<Columns extends readonly unknown[]>(
  database: DatabaseSync,
  sql: string,
): RowStatement<Columns> {
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  return statement as unknown as RowStatement<Columns>;
}
