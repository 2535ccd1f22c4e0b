import { describeValue, isRfc3339 } from '@esdb-gater/primitives';
import { type GaterError, invalidArgument, type SubscribeFrom } from '@esdb-gater/types';

/**
 * Validates the `from` of a subscription.
 *
 * @throws `invalid_argument` (reason `from`)
 */
export function validateFrom(from: unknown): SubscribeFrom {
  if (from === 'latest' || from === 'earliest') return from;
  if (typeof from !== 'object' || from === null) throw invalidFrom(describeValue(from));
  const { position, time } = from as { position?: unknown; time?: unknown };
  if (typeof position === 'string' && time === undefined) return { position };
  if (position !== undefined) throw invalidFrom('an object that is neither');
  if (!isRfc3339(time)) throw invalidFrom(`{ time: ${describeValue(time)} }`);
  return { time };
}

function invalidFrom(actual: string): GaterError {
  return invalidArgument(
    'from',
    `\`from\` must be "latest", "earliest", { position } or { time } with a time as in RFC 3339, got ${actual}`,
  );
}
