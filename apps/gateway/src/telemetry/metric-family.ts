import {
  type Instrument,
  type LabelsOf,
  presentLabels,
  type SampledSpan,
  type Series,
} from '@esdb-gater/telemetry';
import type { MetricValueWithName } from '@prometheus-io/client';
import { prometheusLabel, prometheusName } from './prometheus-names.ts';

type Labels = Readonly<Record<string, string>>;
type Samples = Sample[];

/** A value with its labels. `metricName` is there where it differs from the name of the metric. */
type Sample = Omit<MetricValueWithName<string>, 'metricName'> & {
  readonly metricName?: string;
  /** The trace of one of the measured values of a bucket; only OpenMetrics can show it. */
  readonly exemplar?: Exemplar;
};

interface Exemplar {
  readonly labelSet: Labels;
  readonly value: number;
  /** Unix time in seconds. */
  readonly timestamp: number;
}

/** What a histogram asks for examples of its values. */
export interface ExampleSource {
  /** The span whose trace is an example of the value that is recorded now. */
  readonly span: () => SampledSpan | undefined;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/** The values of a metric, as a registry of the Prometheus client asks for them. */
export interface CountedMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly values: Samples;
}

/**
 * One metric with the values of its series. Each bucket of a histogram keeps its newest exemplar. It counts by itself: the metrics of the Prometheus client look up the
 * labels of a series at every value, which adds 2 to 4 µs to each call of a store.
 */
export class MetricFamily {
  readonly #instrument: Instrument;
  readonly #name: string;
  readonly #examples: ExampleSource;
  readonly #series = new Map<string, LiveSeries>();

  constructor(instrument: Instrument, examples: ExampleSource) {
    this.#instrument = instrument;
    this.#examples = examples;
    this.#name = prometheusName(instrument);
  }

  /** The series with these labels. A gauge has no sample before its first value; all other metrics start at zero. */
  series(given: LabelsOf<Instrument>): Series {
    const labels: Labels = Object.fromEntries(
      Object.entries(presentLabels(given)).map(([name, value]) => [prometheusLabel(name), value]),
    );
    const key = JSON.stringify(labels);
    let series = this.#series.get(key);
    if (series === undefined) {
      const { kind, bounds = [] } = this.#instrument;
      series =
        kind === 'histogram'
          ? new HistogramSeries(this.#name, labels, bounds, this.#examples)
          : new ValueSeries(labels, kind === 'gauge');
      this.#series.set(key, series);
    }
    return series.record;
  }

  /** Forgets all series. */
  clear(): void {
    this.#series.clear();
  }

  values(): CountedMetric {
    const { kind, description } = this.#instrument;
    return {
      name: this.#name,
      help: description,
      type: kind === 'upDownCounter' ? 'gauge' : kind,
      values: [...this.#series.values()].flatMap((series) => series.samples()),
    };
  }
}

interface LiveSeries {
  readonly record: Series;
  samples(): Samples;
}

class ValueSeries implements LiveSeries {
  readonly #labels: Labels;
  readonly #isGauge: boolean;
  #value: number | undefined;

  constructor(labels: Labels, isGauge: boolean) {
    this.#labels = labels;
    this.#isGauge = isGauge;
    this.#value = isGauge ? undefined : 0;
  }

  readonly record: Series = (value) => {
    this.#value = this.#isGauge ? value : (this.#value ?? 0) + value;
  };

  samples(): Samples {
    const value = this.#value;
    return value === undefined ? [] : [{ labels: this.#labels, value }];
  }
}

class HistogramSeries implements LiveSeries {
  readonly #name: string;
  readonly #labels: Labels;
  readonly #bounds: readonly number[];
  /** By bucket, those of the buckets below not added. */
  readonly #counts: number[];
  readonly #examples: ExampleSource;
  /** By bucket, the last one for what is over all bounds. */
  readonly #exemplars: (Exemplar | undefined)[] = [];
  #sum = 0;
  #count = 0;

  constructor(name: string, labels: Labels, bounds: readonly number[], examples: ExampleSource) {
    this.#name = name;
    this.#labels = labels;
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
    this.#examples = examples;
  }

  readonly record: Series = (value) => {
    const index = this.#bounds.findIndex((bound) => value <= bound);
    if (index !== -1) this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sum += value;
    this.#count++;
    const span = this.#examples.span();
    if (span === undefined) return;
    const { traceId, spanId } = span;
    this.#exemplars[index === -1 ? this.#bounds.length : index] = {
      labelSet: { trace_id: traceId, span_id: spanId },
      value,
      timestamp: this.#examples.now() / 1_000,
    };
  };

  samples(): Samples {
    let upTo = 0;
    const buckets = this.#bounds.map((bound, index) => {
      upTo += this.#counts[index] ?? 0;
      return this.#sample('_bucket', upTo, { le: bound }, this.#exemplars[index]);
    });
    return [
      ...buckets,
      this.#sample('_bucket', this.#count, { le: '+Inf' }, this.#exemplars[this.#bounds.length]),
      this.#sample('_sum', this.#sum),
      this.#sample('_count', this.#count),
    ];
  }

  #sample(
    suffix: string,
    value: number,
    more: Readonly<Record<string, string | number>> = {},
    exemplar?: Exemplar,
  ): Sample {
    const sample = { metricName: `${this.#name}${suffix}`, labels: { ...this.#labels, ...more }, value };
    return exemplar === undefined ? sample : { ...sample, exemplar };
  }
}
