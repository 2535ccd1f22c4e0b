/** Names and values of a series' labels. Never topics or streams: their number has no bound. */
type Labels = Readonly<Record<string, string>>;

/** One series of a counter: what is counted often is looked up once. */
interface CounterSeries {
  add(value: number): void;
}

interface Counter {
  series(labels?: Labels): CounterSeries;
}

/** One series of a histogram. */
interface HistogramSeries {
  observe(value: number): void;
}

interface Histogram {
  series(labels?: Labels): HistogramSeries;
}

/** A value that is asked for when somebody reads the metrics. */
type GaugeReader = () => Iterable<readonly [labels: Labels, value: number]>;

/** What `GET /metrics` shows, in the Prometheus text format (version 0.0.4). */
export interface MetricRegistry {
  counter(name: string, help: string): Counter;
  /** `bounds` are the upper bounds of the buckets, ascending. */
  histogram(name: string, help: string, bounds: readonly number[]): Histogram;
  /** `type` is `counter` for a total that somebody else keeps. @default 'gauge' */
  gauge(name: string, help: string, read: GaugeReader, type?: 'gauge' | 'counter'): void;
  render(): string;
}

/** Most series of one metric: what comes beyond is counted in one series `other`, so that no caller can grow it. */
const MAX_SERIES = 2_000;

interface Family {
  lines(): Iterable<string>;
  readonly name: string;
  readonly help: string;
  readonly type: string;
}

export function createMetricRegistry(): MetricRegistry {
  const families: Family[] = [];
  return {
    counter(name, help) {
      const series = new Map<string, { value: number }>();
      families.push({
        name,
        help,
        type: 'counter',
        *lines() {
          for (const [labels, { value }] of series) yield `${name}${braces(labels)} ${value}`;
        },
      });
      return {
        series(labels) {
          const key = seriesKey(series, labels);
          const entry = series.get(key) ?? { value: 0 };
          series.set(key, entry);
          return {
            add(value) {
              entry.value += value;
            },
          };
        },
      };
    },
    histogram(name, help, bounds) {
      const series = new Map<string, { readonly buckets: number[]; sum: number; count: number }>();
      families.push({
        name,
        help,
        type: 'histogram',
        *lines() {
          for (const [labels, { buckets, sum, count }] of series) {
            let below = 0;
            for (const [index, bound] of bounds.entries()) {
              below += buckets[index] ?? 0;
              yield `${name}_bucket${braces(joined(labels, `le="${bound}"`))} ${below}`;
            }
            yield `${name}_bucket${braces(joined(labels, 'le="+Inf"'))} ${count}`;
            yield `${name}_sum${braces(labels)} ${sum}`;
            yield `${name}_count${braces(labels)} ${count}`;
          }
        },
      });
      return {
        series(labels) {
          const key = seriesKey(series, labels);
          const entry = series.get(key) ?? {
            buckets: new Array<number>(bounds.length).fill(0),
            sum: 0,
            count: 0,
          };
          series.set(key, entry);
          return {
            observe(value) {
              const index = bounds.findIndex((bound) => value <= bound);
              if (index !== -1) entry.buckets[index] = (entry.buckets[index] ?? 0) + 1;
              entry.sum += value;
              entry.count++;
            },
          };
        },
      };
    },
    gauge(name, help, read, type = 'gauge') {
      families.push({
        name,
        help,
        type,
        *lines() {
          for (const [labels, value] of read()) yield `${name}${braces(keyOf(labels))} ${value}`;
        },
      });
    },
    render() {
      let text = '';
      for (const family of families) {
        text += `# HELP ${family.name} ${family.help}\n# TYPE ${family.name} ${family.type}\n`;
        for (const line of family.lines()) text += `${line}\n`;
      }
      return text;
    },
  };
}

function seriesKey(series: ReadonlyMap<string, unknown>, labels: Labels | undefined): string {
  const key = keyOf(labels);
  if (series.has(key) || series.size < MAX_SERIES) return key;
  return keyOf(Object.fromEntries(Object.keys(labels ?? {}).map((name) => [name, 'other'])));
}

function keyOf(labels: Labels | undefined): string {
  if (labels === undefined) return '';
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',');
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function joined(labels: string, label: string): string {
  return labels === '' ? label : `${labels},${label}`;
}

function braces(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}
