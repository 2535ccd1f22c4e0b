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
 * Whether the standard variables ask for OpenTelemetry. By the specification an SDK exports to localhost when nothing
 * is set; a gateway that nobody told of a collector must not knock there, so one of the variables has to be set.
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
 * What names this node to whom it exports to. `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` win. The arguments of
 * the process, which the SDK would tell, are left out: they may hold what is nobody's business.
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

/** Whether the environment chooses what else is told of the machine and the process. */
export function choosesDetectors(env: Environment): boolean {
  return value(env, 'OTEL_NODE_RESOURCE_DETECTORS') !== undefined;
}

function isNone(env: Environment, signal: 'TRACES' | 'METRICS'): boolean {
  return value(env, `OTEL_${signal}_EXPORTER`) === 'none';
}

/** Set to nothing counts as not set. */
function value(env: Environment, name: string): string | undefined {
  const text = env[name]?.trim();
  return text === '' ? undefined : text;
}
