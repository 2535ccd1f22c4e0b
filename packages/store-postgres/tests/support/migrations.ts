import type { RunningPostgres } from '../../../../tools/postgres/index.ts';
import { openPostgresStore, type PostgresStore } from '../../src/postgres-store.ts';
import { failureOf, STORE_ID } from './stores.ts';

/** A schema whose first migration could not be completed. */
export interface MigrationFailure {
  readonly error: Error;
  /** The tables that the migration left behind, besides that which was in its way. */
  readonly tables: readonly unknown[];
  /** Opens the store after the cause was removed. */
  openAgain(): Promise<PostgresStore>;
}

/** Lets a migration fail at a table that somebody else has made under a name that it needs. */
export async function createMigrationFailure(postgres: RunningPostgres): Promise<MigrationFailure> {
  await postgres.query('CREATE SCHEMA half; CREATE TABLE half.subscriptions (in_the_way integer)');
  await postgres.query("COMMENT ON TABLE half.subscriptions IS 'in the way'");
  const open = () =>
    openPostgresStore({ storeId: STORE_ID, url: postgres.url, schema: 'half', openTimeoutMs: 1_500 });
  const error = await failureOf(open());
  const tables = await postgres.query(
    "SELECT tablename FROM pg_tables WHERE schemaname = 'half' AND tablename <> 'subscriptions'",
  );
  return {
    error,
    tables,
    async openAgain() {
      await postgres.query('DROP TABLE half.subscriptions');
      return open();
    },
  };
}
