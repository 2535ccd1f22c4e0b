import type { SpanOptions, SpanSubject, TraceCarrier } from '@esdb-gater/telemetry';

/** Runs `run` in a span, where the program has registered an SDK of OpenTelemetry; see `withSpan` of the telemetry package. */
export type WithSpan = <T>(
  subject: SpanSubject,
  options: SpanOptions,
  run: (carrier: TraceCarrier) => Promise<T>,
) => Promise<T>;
