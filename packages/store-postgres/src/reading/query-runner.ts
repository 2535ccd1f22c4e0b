import { endedError } from '@esdb-gater/event-store';
import { waitFor } from '@esdb-gater/primitives';
import type { CallContext, Clock } from '@esdb-gater/types';
import { type PrimaryLink, type Row, readRows } from '../connection/primary-link.ts';
import { describeFailure, endsConnection, fromPostgres } from '../postgres-errors.ts';

/**
 * Runs a statement on the primary, and returns its rows as arrays of columns.
 *
 * @throws `unavailable` when the primary does not answer; `timeout` when the caller's time is over
 */
export type QueryRunner = <Columns extends Row>(
  text: string,
  values: readonly unknown[],
  context?: CallContext,
) => Promise<Columns[]>;

/** Creates a function that runs statements on the connections for reads. */
export function createQueryRunner(link: PrimaryLink, clock: Clock): QueryRunner {
  return async (text, values, context) => {
    const session = await link.session(context);
    const limits = {
      signal: context?.signal,
      abortError: () => endedError(context?.signal),
      timeoutMs: context?.deadlineMs,
      timeoutError: () => endedError(),
      clock,
    };
    try {
      return await waitFor(readRows(session.readers, session.statements.query(text, values)), limits);
    } catch (error) {
      const failure = fromPostgres(error);
      // The caller's own limits say nothing about the connection.
      if (failure !== error && endsConnection(error)) link.lose(session, new Error(describeFailure(error)));
      throw failure;
    }
  };
}
