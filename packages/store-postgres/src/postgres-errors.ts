import { GaterError } from '@esdb-gater/types';

/** SQLSTATE codes (postgresql.org/docs/current/errcodes-appendix.html) that need their own words. */
const REASONS: Readonly<Record<string, string>> = {
  '53100': 'the disk of the database is full',
  '53200': 'the server is out of memory',
  '53300': 'the server has too many connections; raise max_connections, or give the role more',
  '55P03':
    'another writer holds the lock of the store: a commit waits for a standby, or somebody locked its tables',
  '57014': 'the statement was cancelled, by statement_timeout or by an administrator',
  '25006': 'the server is read-only: it is a standby, or its disk is protected',
  '28P01': 'the password is wrong',
  '28000': 'the server refuses this user from here',
  '3D000': 'the database does not exist',
  '42501': 'the role lacks a permission',
  '42P01': 'a table of the store is missing',
  '42883': 'a function of the store is missing or of another version',
  EG002: 'somebody else has written to the store',
  EG001: 'another node opened the store with another setting of `tamperEvident`; open all of them alike',
};

/** Returns the SQLSTATE of an error of the server; undefined for any other error. */
export function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, severity } = error as { readonly code?: unknown; readonly severity?: unknown };
  // Errors of the network have codes too, such as ECONNREFUSED.
  return typeof code === 'string' && typeof severity === 'string' ? code : undefined;
}

/** Returns true when the server is going down, is not ready yet, or ended the connection. */
export function endsConnection(error: unknown): boolean {
  const state = sqlState(error);
  return state === undefined || state.startsWith('57P') || state.startsWith('08') || state === '25006';
}

/** Returns what happened, in one line and without secrets. */
export function describeFailure(error: unknown): string {
  if (GaterError.is(error)) return error.message;
  const { message, code, errors } = error as {
    readonly message?: unknown;
    readonly code?: unknown;
    readonly errors?: unknown;
  };
  const state = sqlState(error);
  const known = state === undefined ? undefined : REASONS[state];
  if (known !== undefined) return `${known} (${String(message)})`;
  // A host with several addresses fails with one error for each.
  if (Array.isArray(errors) && errors.length > 0) return describeFailure(errors[0]);
  if (typeof message === 'string' && message !== '') return message;
  return typeof code === 'string' ? code : String(error);
}

/** Converts the error of a call that has certainly changed nothing. */
export function fromPostgres(error: unknown): GaterError {
  if (GaterError.is(error)) return error;
  return new GaterError('unavailable', `PostgreSQL: ${describeFailure(error)}`, { cause: error });
}

/**
 * Returns the error of a write whose outcome is not known. It is retriable, since a repeated append with the same event ids finds
 * out: either it is written then, or it was before.
 */
export function outcomeUnknown(why: string, cause?: unknown): GaterError {
  return new GaterError(
    'timeout',
    `whether the write was done is not known: ${why}; repeat it with the same event ids`,
    { cause, details: { outcome: 'unknown' } },
  );
}
