import type { PoolClient } from 'pg';
import type { PrimaryLink, Row } from './connection/primary-link.ts';
import { readRows } from './connection/primary-link.ts';
import { describeFailure, endsConnection, fromPostgres, outcomeUnknown } from './postgres-errors.ts';

/**
 * Runs a statement that writes and can be repeated, in a transaction of its own.
 *
 * @throws `unavailable` when nothing was written; `timeout` when that is not known
 */
export type StatementWriter = <Columns extends Row>(
  text: string,
  values: readonly unknown[],
) => Promise<Columns[]>;

/** Creates a function that writes by single statements: snapshots, checkpoints and subscriptions. */
export function createStatementWriter(link: PrimaryLink): StatementWriter {
  return async <Columns extends Row>(text: string, values: readonly unknown[]): Promise<Columns[]> => {
    const session = await link.session();
    let client: PoolClient;
    try {
      client = await session.readers.connect();
    } catch (error) {
      throw fromPostgres(error);
    }
    let warning: string | undefined;
    const onNotice = (notice: { readonly message?: string | undefined }): void => {
      warning ??= notice.message ?? 'a warning';
    };
    client.on('notice', onNotice);
    let failure: Error | undefined;
    try {
      const rows = await readRows<Columns>(client, session.statements.query(text, values));
      if (warning !== undefined) throw outcomeUnknown(`the server said at the commit: ${warning}`);
      return rows;
    } catch (error) {
      if (warning !== undefined) throw error;
      if (!endsConnection(error)) throw fromPostgres(error);
      failure = error as Error;
      link.lose(session, error);
      throw outcomeUnknown(describeFailure(error), error);
    } finally {
      client.off('notice', onNotice);
      client.release(failure);
    }
  };
}
