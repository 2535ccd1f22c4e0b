// A module of its own, so that bundlers put the OpenTelemetry API into a file that is loaded on demand.
export { withSpan } from '@esdb-gater/telemetry';
