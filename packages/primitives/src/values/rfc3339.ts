const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

/** The longest time that {@link RFC_3339} takes has 35 characters. */
const MAX_UNITS = 40;

/** The calendar repeats after 400 years; `Date.UTC` takes years below 100 for those of the last century. */
const CYCLE_YEARS = 400;
const CYCLE_MS = 146_097 * 86_400_000;

/**
 * Returns the Unix milliseconds of a time as in RFC 3339, rounded down, or undefined for anything else.
 *
 * Takes up to nine digits of fraction and only days that the calendar has. A leap second is refused, since the clocks
 * that are used here never show one.
 */
export function parseRfc3339(value: unknown): number | undefined {
  if (typeof value !== 'string' || value.length > MAX_UNITS) return undefined;
  const parts = RFC_3339.exec(value);
  if (parts === null) return undefined;
  const field = (index: number): number => Number(parts[index] ?? 0);
  const [year, month, day, hour, minute, second] = [
    field(1),
    field(2),
    field(3),
    field(4),
    field(5),
    field(6),
  ];
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return undefined;
  const likeYear = 2000 + (year % CYCLE_YEARS);
  if (day > new Date(Date.UTC(likeYear, month, 0)).getUTCDate()) return undefined;
  const offset = (field(9) * 60 + field(10)) * (parts[8] === '-' ? -60_000 : 60_000);
  const milliseconds = Number((parts[7] ?? '').slice(0, 3).padEnd(3, '0'));
  const cycles = (year - likeYear) / CYCLE_YEARS;
  return Date.UTC(likeYear, month - 1, day, hour, minute, second, milliseconds) + cycles * CYCLE_MS - offset;
}

/** Returns true for a time as in RFC 3339. */
export function isRfc3339(value: unknown): value is string {
  return parseRfc3339(value) !== undefined;
}
