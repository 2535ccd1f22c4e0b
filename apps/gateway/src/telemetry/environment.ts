import { hostname } from 'node:os';

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Each of these, set, asks for the export. */
const ASKING = [
  'OTEL_TRACES_EXPORTER',
  'OTEL_METRICS_EXPORTER',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
  'OTEL_CONFIG_FILE',
];

const SERVICE_NAME = 'esdb-gater';

/**
 * Whether the standard variables ask for OpenTelemetry. By the specification an SDK exports to localhost by default; a
 * gateway without a configured collector must not connect there, so one of the variables has to be set.
 */
export function asksForOpenTelemetry(env: Environment): boolean {
  if (value(env, 'OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return false;
  if (value(env, 'OTEL_CONFIG_FILE') === undefined && isNone(env, 'TRACES') && isNone(env, 'METRICS'))
    return false;
  return ASKING.some((name) => {
    const set = value(env, name);
    return set !== undefined && set !== 'none';
  });
}

/** Which node this is. */
export interface NodeNames {
  readonly nodeId: string;
  readonly version: string;
}

/**
 * The resource attributes of this node. `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` win. The arguments of the
 * process, which the SDK would add, are omitted, since they may contain secrets.
 */
export function resourceAttributes(
  env: Environment,
  { nodeId, version }: NodeNames,
): Readonly<Record<string, string | number>> {
  const given = (value(env, 'OTEL_RESOURCE_ATTRIBUTES') ?? '')
    .split(',')
    .map((pair) => pair.split('=', 1)[0]?.trim());
  const ours = {
    'service.name': SERVICE_NAME,
    'service.version': version,
    'service.instance.id': nodeId,
    'host.name': hostname(),
    'process.pid': process.pid,
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
  };
  const name = value(env, 'OTEL_SERVICE_NAME');
  return {
    ...Object.fromEntries(Object.entries(ours).filter(([key]) => !given.includes(key))),
    ...(name === undefined ? {} : { 'service.name': name }),
  };
}

/** Returns true when the environment selects the resource detectors. */
export function choosesDetectors(env: Environment): boolean {
  return value(env, 'OTEL_NODE_RESOURCE_DETECTORS') !== undefined;
}

function isNone(env: Environment, signal: 'TRACES' | 'METRICS'): boolean {
  return value(env, `OTEL_${signal}_EXPORTER`) === 'none';
}

/** An empty variable counts as not set. */
function value(env: Environment, name: string): string | undefined {
  const text = env[name]?.trim();
  return text === '' ? undefined : text;
}
