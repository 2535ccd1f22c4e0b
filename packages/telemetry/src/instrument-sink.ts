import type { Instrument, LabelsOf } from './instruments.ts';

/**
 * Records one value of one series: adds it to a counter, sets a gauge, sorts it into a histogram. Keep it where values
 * are recorded often: finding a series costs far more than recording to it.
 */
export type Series = (value: number) => void;

/** Reports the current value of one series of a `state` instrument. */
export type Observe = <One extends Instrument>(instrument: One, value: number, labels: LabelsOf<One>) => void;

/** The interface of an exporter of metrics. */
export interface InstrumentSink {
  /** The series of an `event` instrument with these labels. */
  series<One extends Instrument>(instrument: One, labels: LabelsOf<One>): Series;
  /**
   * Calls `read` at each export, to report the current values of `instruments`, which are of the source `state`.
   *
   * @returns a function that stops the callback
   */
  observe(instruments: readonly Instrument[], read: (observe: Observe) => void): () => void;
}

/** The labels that have a value. */
export function presentLabels<One extends Instrument>(labels: LabelsOf<One>): Record<string, string> {
  const present: Record<string, string> = {};
  for (const [name, value] of Object.entries<string | undefined>(labels)) {
    if (value !== undefined) present[name] = value;
  }
  return present;
}
