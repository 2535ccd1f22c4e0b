const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d{1,9})?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/**
 * True for a time as in RFC 3339, with at most nine digits of fraction, that is in the calendar.
 *
 * A leap second is refused: no clock of ours tells one.
 */
export function isTime(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > 40) return false;
  const parts = RFC_3339.exec(value);
  if (parts === null) return false;
  const [, year, month, day, hour, minute, second] = parts.map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return false;
  return day >= 1 && day <= new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
}
