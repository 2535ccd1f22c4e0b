const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' });
const clock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

/** `12 345` as `12,345`. */
export function count(value: number): string {
  return whole.format(value);
}

/** A rate per second: one decimal below 10, then whole, then compact. */
export function rate(value: number | undefined): string {
  if (value === undefined) return '–';
  if (value === 0) return '0';
  if (value < 10) return value.toFixed(1);
  return value < 10_000 ? whole.format(value) : compact.format(value);
}

/** `1 event`, `2 events`. */
export function plural(value: number, one: string, many: string = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** The time of day, with the date when it is not today. */
export function timeOf(date: Date): string {
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? clock.format(date) : `${day.format(date)}, ${clock.format(date)}`;
}

const STEPS = [
  ['second', 60],
  ['minute', 60],
  ['hour', 24],
  ['day', 30],
  ['month', 12],
  ['year', Number.POSITIVE_INFINITY],
] as const;

/** `in 5 min.`, `3 days ago`. */
export function ago(timeMs: number, nowMs: number = Date.now()): string {
  let value = (timeMs - nowMs) / 1_000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(value) < size) return relative.format(Math.round(value), unit);
    value /= size;
  }
  return '';
}

/** Shortens an identifier in its middle. */
export function shorten(text: string, maxLength: number = 18): string {
  if (text.length <= maxLength) return text;
  const half = Math.floor((maxLength - 1) / 2);
  return `${text.slice(0, half)}…${text.slice(-half)}`;
}
