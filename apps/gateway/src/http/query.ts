import { describeValue } from '@esdb-gater/primitives';
import { type GaterError, invalidArgument } from '@esdb-gater/types';

/** The kind of a query parameter: how its text becomes a parameter of the method. */
export type QueryKind = 'text' | 'integer' | 'texts';

type Value<K extends QueryKind> = K extends 'integer'
  ? number
  : K extends 'texts'
    ? readonly string[]
    : string;

function wrong(name: string, message: string): GaterError {
  return invalidArgument('query', `query parameter ${JSON.stringify(name)} ${message}`, { parameter: name });
}

/**
 * Reads the query parameters of a request by their kinds. All are optional; the method's schema checks the values.
 *
 * @throws `invalid_argument` (reason `query`) for an unknown parameter, one given twice, or an invalid integer
 */
export function readQuery<const K extends Readonly<Record<string, QueryKind>>>(
  search: URLSearchParams,
  kinds: K,
): { -readonly [N in keyof K]?: Value<K[N]> } {
  const result: Record<string, number | string | string[]> = {};
  for (const [name, text] of search) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined)
      throw wrong(name, `is not known here; there are ${Object.keys(kinds).join(', ') || 'none'}`);
    if (kind === 'texts') {
      result[name] = [...((result[name] as string[] | undefined) ?? []), text];
    } else if (result[name] !== undefined) throw wrong(name, 'must be given once');
    else if (kind === 'text') result[name] = text;
    else if (/^-?\d{1,16}$/.test(text)) result[name] = Number(text);
    else throw wrong(name, `must be an integer, got ${describeValue(text)}`);
  }
  return result as { -readonly [N in keyof K]?: Value<K[N]> };
}
