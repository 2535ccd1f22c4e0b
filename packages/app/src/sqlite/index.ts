// Read models in SQLite
export type { SqlTable, SqlTables } from '../sql/sql-tables.ts';
export type { SqliteDatabase, SqliteStatement, SqliteValue } from './sqlite-database.ts';
export { type SqliteModel, sqliteProjections } from './sqlite-projections.ts';
