import type { Instrument } from '@esdb-gater/telemetry';

/** The suffixes for OpenTelemetry's units. */
const UNIT_SUFFIXES: ReadonlyMap<string, string> = new Map([
  ['s', 'seconds'],
  ['By', 'bytes'],
  ['1', 'ratio'],
]);

/**
 * Returns the name of a metric in Prometheus, by the OpenTelemetry specification (Prometheus and OpenMetrics
 * compatibility): characters that Prometheus does not take become underscores, the unit is appended unless the name
 * ends with it, a rate ends with `_per_second` and a counter with `_total`.
 */
export function prometheusName({ kind, name, unit }: Pick<Instrument, 'kind' | 'name' | 'unit'>): string {
  const base = withSuffix(prometheusLabel(name), unitSuffix(unit));
  return kind === 'counter' ? withSuffix(base, 'total') : base;
}

/** Returns the name of a label in Prometheus. */
export function prometheusLabel(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]/g, '_');
}

/** Annotations, such as `{call}`, are not part of a name. */
function unitSuffix(unit: string): string {
  const [base = '', per] = unit.replace(/\{[^}]*\}/g, '').split('/');
  const suffixes = [UNIT_SUFFIXES.get(base) ?? base, per === 's' ? 'per_second' : ''];
  return suffixes.filter((suffix) => suffix !== '').join('_');
}

function withSuffix(name: string, suffix: string): string {
  return suffix === '' || name.endsWith(`_${suffix}`) ? name : `${name}_${suffix}`;
}
