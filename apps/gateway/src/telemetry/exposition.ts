import type { Instrument, InstrumentSink, Observe } from '@esdb-gater/telemetry';
import { Registry } from '@prometheus-io/client';
import { MetricFamily } from './metric-family.ts';
import { processMetrics } from './process-metrics.ts';

/** The body of `GET /metrics`: the metrics of one gateway and of its process, in the Prometheus text format 0.0.4. */
export interface Exposition extends InstrumentSink {
  readonly contentType: string;
  render(): Promise<string>;
}

/** Creates the exposition of the given rows of the table of metrics. */
export function createExposition(instruments: readonly Instrument[]): Exposition {
  return new PrometheusExposition(instruments);
}

type Read = (observe: Observe) => void;

class PrometheusExposition implements Exposition {
  readonly contentType: string = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #families: ReadonlyMap<string, MetricFamily>;
  readonly #reads = new Map<Read, readonly Instrument[]>();
  /** From the beginning, as garbage collections are counted from then on. */
  readonly #process: Registry = processMetrics();

  constructor(instruments: readonly Instrument[]) {
    this.#families = new Map(instruments.map((one) => [one.name, new MetricFamily(one)]));
  }

  readonly series: InstrumentSink['series'] = (instrument, labels) => this.#family(instrument).series(labels);

  readonly observe: InstrumentSink['observe'] = (instruments, read) => {
    this.#reads.set(read, instruments);
    return () => {
      this.#reads.delete(read);
      for (const instrument of instruments) this.#family(instrument).clear();
    };
  };

  async render(): Promise<string> {
    for (const [read, instruments] of this.#reads) {
      for (const instrument of instruments) this.#family(instrument).clear();
      read((instrument, value, labels) => this.#family(instrument).series(labels)(value));
    }
    // The client's method for adding counts from elsewhere; it is meant for the counts of other processes.
    const own = Registry.aggregate([[...this.#families.values()].map((family) => family.values())]);
    return `${await own.metrics()}\n${await this.#process.metrics()}`;
  }

  #family({ name }: Instrument): MetricFamily {
    const family = this.#families.get(name);
    if (family === undefined) throw new TypeError(`${name} must be a metric of this exposition`);
    return family;
  }
}
