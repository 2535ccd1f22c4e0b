// Read models in PostgreSQL
export type { SqlTable, SqlTables } from '../sql/sql-tables.ts';
export {
  type PostgresClient,
  type PostgresModel,
  type PostgresPool,
  postgresProjections,
} from './postgres-projections.ts';
