import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { KEEP_SECONDS } from '../data/monitor.ts';
import { newest, type Samples } from '../data/samples.ts';
import { rate } from './format.ts';
import { isDark } from './theme.ts';

export interface ChartSeries {
  readonly label: string;
  /** The name of a colour of the style sheet, such as `series-1`. */
  readonly colour: string;
}

export interface ChartProps {
  readonly title: string;
  readonly unit: string;
  readonly series: readonly ChartSeries[];
  readonly samples: Samples;
  readonly height?: number;
  readonly format?: (value: number | undefined) => string;
}

/** A chart over the last minutes, with its newest values, or those under the pointer, above it. */
export function Chart({
  title,
  unit,
  series,
  samples,
  height = 150,
  format = rate,
}: ChartProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const [hovered, setHovered] = useState<number | undefined>();
  const dark = isDark.value;
  const latest = useRef(samples);
  latest.current = samples;

  // The series of a chart do not change.
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const chart = new uPlot(
      options(element, series, height, (index) => setHovered(index ?? undefined)),
      dataOf(latest.current),
      element,
    );
    plot.current = chart;
    const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
      plot.current = undefined;
    };
  }, [dark, height]);

  useEffect(() => plot.current?.setData(dataOf(samples)), [samples]);

  const values = series.map((_, index) =>
    format((hovered === undefined ? newest(samples, index) : samples.series[index]?.[hovered]) ?? undefined),
  );
  const spoken = series.map(({ label }, index) => `${label} ${values[index]} ${unit}`).join(', ');
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        <span class="chart-values">
          {series.map(({ label, colour }, index) => (
            <span key={label} class="chart-value">
              {series.length > 1 && <span class={`swatch ${colour}`} aria-hidden="true" />}
              <strong>{values[index]}</strong>
              <span class="muted">{series.length > 1 ? label : unit}</span>
            </span>
          ))}
        </span>
      </figcaption>
      <div
        class="plot"
        ref={box}
        role="img"
        aria-label={`${title}, the last ${KEEP_SECONDS / 60} minutes: ${spoken}`}
      />
    </figure>
  );
}

const MINUTE = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

function minuteOf(seconds: number): string {
  return MINUTE.format(seconds * 1_000);
}

function dataOf({ times, series }: Samples): uPlot.AlignedData {
  return [[...times], ...series.map((list) => [...list])] as uPlot.AlignedData;
}

function options(
  element: HTMLElement,
  series: readonly ChartSeries[],
  height: number,
  onHover: (index: number | null | undefined) => void,
): uPlot.Options {
  const axis = {
    stroke: colourOf(element, 'text-muted'),
    font: `11px ${getComputedStyle(element).fontFamily}`,
  };
  const grid = { stroke: colourOf(element, 'border'), width: 1 };
  return {
    width: Math.max(100, element.clientWidth),
    height,
    padding: [8, 4, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 7 }, drag: { setScale: false, x: false, y: false } },
    scales: {
      x: { time: true, range: (_plot, _min, max) => [(max ?? 0) - KEEP_SECONDS, max ?? 0] },
      y: { range: (_plot, _min, max) => [0, Math.max(1, (max ?? 0) * 1.15)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        ticks: { show: false },
        space: 60,
        size: 24,
        values: (_plot, splits) => splits.map(minuteOf),
      },
      {
        ...axis,
        grid,
        ticks: { show: false },
        space: 36,
        size: 40,
        values: (_plot, splits) => splits.map((value) => rate(value)),
      },
    ],
    series: [
      {},
      ...series.map(({ colour }, index) => {
        const stroke = colourOf(element, colour);
        return {
          stroke,
          width: 2,
          points: { show: false },
          ...(index === 0 ? { fill: (plot: uPlot) => gradient(plot, stroke) } : {}),
        };
      }),
    ],
    hooks: { setCursor: [({ cursor }) => onHover(cursor.idx)] },
  };
}

/** Returns a custom property as a colour that a canvas understands. */
function colourOf(element: HTMLElement, name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(--${name})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function gradient({ ctx, bbox }: uPlot, colour: string): CanvasGradient | string {
  if (!Number.isFinite(bbox.top + bbox.height) || bbox.height === 0) return 'transparent';
  const fill = ctx.createLinearGradient(0, bbox.top, 0, bbox.top + bbox.height);
  fill.addColorStop(0, colour.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.28)'));
  fill.addColorStop(1, colour.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.02)'));
  return fill;
}
