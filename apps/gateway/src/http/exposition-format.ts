import type { ExpositionFormat } from '../telemetry/exposition.ts';

/**
 * Returns the format of `GET /metrics` that an `Accept` header prefers (RFC 9110, section 12.5.1): OpenMetrics when it is
 * named with a weight above 0 that is no less than that of `text/plain`, as Prometheus does; else the Prometheus text.
 */
export function expositionFormat(accept: string | undefined): ExpositionFormat {
  const weights = (accept ?? '').split(',').map(weighted);
  const weightOf = (type: string): number =>
    Math.max(0, ...weights.filter((one) => one.type === type).map(({ weight }) => weight));
  const openMetrics = weightOf('application/openmetrics-text');
  return openMetrics > 0 && openMetrics >= weightOf('text/plain') ? 'openmetrics' : 'prometheus';
}

function weighted(range: string): { readonly type: string; readonly weight: number } {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
  const given = parameters.find((one) => one.startsWith('q='))?.slice(2);
  const weight = given === undefined ? 1 : Number(given);
  return { type, weight: weight >= 0 && weight <= 1 ? weight : 0 };
}
