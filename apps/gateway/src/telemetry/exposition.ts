import { activeSampledSpan, type Instrument, type InstrumentSink, type Observe } from '@esdb-gater/telemetry';
import { systemClock } from '@esdb-gater/types';
import { type Metric, Registry } from '@prometheus-io/client';
import { type ExampleSource, MetricFamily } from './metric-family.ts';
import { processMetrics } from './process-metrics.ts';

/** The two formats of `GET /metrics`. Only OpenMetrics has exemplars. */
export type ExpositionFormat = 'prometheus' | 'openmetrics';

/**
 * The body of `GET /metrics`: the metrics of one gateway and of its process, in the Prometheus text format 0.0.4 or as
 * OpenMetrics 1.0.
 */
export interface Exposition extends InstrumentSink {
  render(format?: ExpositionFormat): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** Creates the exposition of the given rows of the table of metrics. */
export function createExposition(
  instruments: readonly Instrument[],
  examples: ExampleSource = { span: activeSampledSpan, now: () => systemClock.now() },
): Exposition {
  return new PrometheusExposition(instruments, examples);
}

type Read = (observe: Observe) => void;

const CONTENT_TYPES = {
  prometheus: Registry.PROMETHEUS_CONTENT_TYPE,
  openmetrics: Registry.OPENMETRICS_CONTENT_TYPE,
} as const;

class PrometheusExposition implements Exposition {
  readonly #families: ReadonlyMap<string, MetricFamily>;
  readonly #reads = new Map<Read, readonly Instrument[]>();
  /** From the beginning, as garbage collections are counted from then on. */
  readonly #process: Registry = processMetrics();

  constructor(instruments: readonly Instrument[], examples: ExampleSource) {
    this.#families = new Map(instruments.map((one) => [one.name, new MetricFamily(one, examples)]));
  }

  readonly series: InstrumentSink['series'] = (instrument, labels) => this.#family(instrument).series(labels);

  readonly observe: InstrumentSink['observe'] = (instruments, read) => {
    this.#reads.set(read, instruments);
    return () => {
      this.#reads.delete(read);
      for (const instrument of instruments) this.#family(instrument).clear();
    };
  };

  async render(format: ExpositionFormat = 'prometheus') {
    for (const [read, instruments] of this.#reads) {
      for (const instrument of instruments) this.#family(instrument).clear();
      read((instrument, value, labels) => this.#family(instrument).series(labels)(value));
    }
    const contentType = CONTENT_TYPES[format];
    const registry = new Registry(contentType);
    const ofProcess = await this.#process.getMetricsAsJSON();
    for (const metric of [...[...this.#families.values()].map((family) => family.values()), ...ofProcess]) {
      // A registry reads the name, type, help text and values of whatever it has. It renames counters for OpenMetrics.
      const own: object = { ...metric, get: () => own };
      registry.registerMetric(own as Metric);
    }
    return { contentType, text: await registry.metrics() };
  }

  #family({ name }: Instrument): MetricFamily {
    const family = this.#families.get(name);
    if (family === undefined) throw new TypeError(`${name} must be a metric of this exposition`);
    return family;
  }
}
