import { type GaterError, invalidArgument, type SubscribeFrom } from '@esdb-gater/types';

/** RFC 3339; the calendar is asked of `Date.parse`. */
const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;

/**
 * Checks where a subscription is to begin.
 *
 * @throws `invalid_argument` (reason `from`)
 */
export function validateFrom(from: unknown): SubscribeFrom {
  if (from === 'latest' || from === 'earliest') return from;
  if (typeof from !== 'object' || from === null) throw refused('`from` is neither of its forms');
  const { position, time } = from as { position?: unknown; time?: unknown };
  if (typeof position === 'string' && time === undefined) return { position };
  if (typeof time !== 'string' || position !== undefined) throw refused('`from` is neither of its forms');
  if (!RFC_3339.test(time) || Number.isNaN(Date.parse(time))) throw refused('`from.time` is no such time');
  return { time };
}

function refused(found: string): GaterError {
  return invalidArgument(
    'from',
    `${found}, expected "latest", "earliest", { position } or { time } with a time of RFC 3339`,
  );
}
