/** A series of samples over time, for one chart. Times are Unix seconds, as uPlot wants them. */
export interface Samples {
  readonly times: readonly number[];
  /** One list per series, as long as `times`; null where nothing is known. */
  readonly series: readonly (readonly (number | null)[])[];
}

/** Returns the samples without any. */
export function noSamples(seriesCount: number): Samples {
  return { times: [], series: Array.from({ length: seriesCount }, () => []) };
}

/** Returns the samples with one more, and without those that are older than `keepSeconds`. */
export function addSample(
  samples: Samples,
  time: number,
  values: readonly (number | null)[],
  keepSeconds: number,
): Samples {
  const first = samples.times.findIndex((one) => one > time - keepSeconds);
  const from = first === -1 ? samples.times.length : first;
  return {
    times: [...samples.times.slice(from), time],
    series: samples.series.map((list, index) => [...list.slice(from), values[index] ?? null]),
  };
}

/** Returns the newest value of a series. */
export function newest(samples: Samples, index: number): number | undefined {
  return samples.series[index]?.at(-1) ?? undefined;
}
