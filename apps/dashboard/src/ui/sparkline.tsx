import type { JSX } from 'preact';

const WIDTH = 120;
const HEIGHT = 24;
const POINTS = 60;

/** A line without axes. It repeats a number that stands beside it, so that it is hidden from screen readers. */
export function Sparkline({ values }: { readonly values: readonly (number | null)[] }): JSX.Element {
  const shown = values.slice(-POINTS).map((value) => value ?? 0);
  const max = Math.max(1, ...shown);
  const step = WIDTH / (POINTS - 1);
  const points = shown.map((value, index) => {
    const x = WIDTH - (shown.length - 1 - index) * step;
    return `${x.toFixed(1)},${(HEIGHT - 2 - (value / max) * (HEIGHT - 4)).toFixed(1)}`;
  });
  return (
    <svg
      class="sparkline"
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      aria-hidden="true"
    >
      <polyline points={points.join(' ')} />
    </svg>
  );
}
