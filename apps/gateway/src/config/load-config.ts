import { isIPv6 } from 'node:net';
import type { JsonValue } from '@esdb-gater/types';
import { parseAllowedOrigin } from './allowed-origin.ts';
import { configError, wrongValue } from './config-error.ts';
import { problemOf } from './expectation.ts';
import { CONFIG_KEYS } from './keys.ts';
import { resolveStores } from './resolve-stores.ts';
import { readSecretFiles, withInnerSecrets } from './secret-files.ts';
import { envSettings, fileSettings, flagSettings, type Setting } from './sources.ts';
import type { GatewayConfig, Settings } from './types.ts';

/** The longest `nodeId`. */
const MAX_NODE_ID_UNITS = 64;

export interface LoadConfigOptions {
  /** A JSON or YAML file. */
  readonly file?: string;
  /** @default no variables; pass `process.env` */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** By flag name (`kafka-brokers`) or path (`kafka.brokers`). */
  readonly flags?: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  /** Receives the one warning about the variables of Kubernetes. */
  readonly warn?: (message: string) => void;
}

/** Returns true when only this machine reaches `host`. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (isIPv6(bare)) return bare === '::1' || /^::ffff:127\./.test(bare);
  return bare === 'localhost' || /^127(\.\d{1,3}){3}$/.test(bare);
}

/**
 * Loads the configuration: defaults, then the file, then the environment, then flags, validated and frozen.
 *
 * @throws `invalid_argument` (reason `configuration`): one line that names the wrong key or value, never a secret
 */
export function loadConfig(options: LoadConfigOptions = {}): GatewayConfig {
  const values = new Map<string, JsonValue>(
    CONFIG_KEYS.filter((key) => key.twinOf === undefined).map((key) => [key.path, key.default]),
  );
  for (const source of readSources(options)) {
    const settings = source.settings.map(withInnerSecrets);
    for (const setting of settings) validate(setting);
    for (const { key, value } of readSecretFiles(settings)) values.set(key.path, value);
  }
  return deepFreeze(resolve(nest(values)));
}

/**
 * Returns where the settings that are not defaults come from: by path `file NAME`, a variable, or a flag.
 *
 * @throws as {@link loadConfig}
 */
export function settingOrigins(options: LoadConfigOptions): ReadonlyMap<string, string> {
  const origins = new Map<string, string>();
  for (const { settings, file } of readSources(options)) {
    for (const { key, source } of readSecretFiles(settings)) {
      origins.set(key.path, file === undefined ? source : `file ${file}`);
    }
  }
  return origins;
}

interface Source {
  readonly settings: readonly Setting[];
  readonly file?: string;
}

/** Reads the sources, the weakest first. */
function readSources({
  file,
  env = {},
  flags = {},
  warn = () => undefined,
}: LoadConfigOptions): readonly Source[] {
  return [
    ...(file === undefined ? [] : [{ settings: fileSettings(file), file }]),
    { settings: envSettings(env, warn) },
    { settings: flagSettings(flags) },
  ];
}

function validate({ key, value, source }: Setting): void {
  const problem = problemOf(key.schema, value, key.path);
  if (problem !== undefined) throw wrongValue(key, source, value, problem);
}

/** Builds the nested objects of the paths. The prototype of `stores` is null, as its names come from outside. */
function nest(values: ReadonlyMap<string, JsonValue>): Settings {
  const root: Record<string, unknown> = {};
  for (const [path, value] of values) {
    const parts = path.split('.');
    let at = root;
    for (const part of parts.slice(0, -1)) {
      at[part] ??= {};
      at = at[part] as Record<string, unknown>;
    }
    at[parts.at(-1) ?? path] = structuredClone(value);
  }
  root['stores'] = Object.assign(Object.create(null), root['stores']);
  return root as unknown as Settings;
}

/** Sets values that depend on other keys, and checks rules that concern several keys. */
function resolve(config: Settings): GatewayConfig {
  const loopback = isLoopbackHost(config.host);
  const capabilities = config.security.capabilities ?? (loopback ? 'optional' : 'required');
  if (!loopback && capabilities !== 'required' && !config.security.allowInsecure) {
    throw configError(
      'security.allowInsecure',
      `must be true to listen on ${config.host}, beyond loopback, with security.capabilities ${capabilities}`,
    );
  }
  for (const text of config.http.allowedOrigins ?? []) {
    if (parseAllowedOrigin(text) !== undefined) continue;
    throw configError(
      'http.allowedOrigins',
      `each must be an origin such as https://app.example or capacitor://localhost, got ${JSON.stringify(text)}`,
    );
  }
  if (config.retry.maxDelayMs < config.retry.baseDelayMs) {
    throw configError(
      'retry.maxDelayMs',
      `must be at least retry.baseDelayMs (${config.retry.baseDelayMs}), got ${config.retry.maxDelayMs}`,
    );
  }
  if ((config.tls.certFile === null) !== (config.tls.keyFile === null)) {
    const missing = config.tls.certFile === null ? 'certFile' : 'keyFile';
    throw configError(`tls.${missing}`, 'must be a file, as the other half of the pair is set');
  }
  const { ssl, sasl } = config.kafka;
  if ((ssl.certFile === null) !== (ssl.keyFile === null)) {
    const missing = ssl.certFile === null ? 'certFile' : 'keyFile';
    throw configError(`kafka.ssl.${missing}`, 'must be a file, as the other half of the pair is set');
  }
  for (const name of ['caFile', 'certFile', 'keyFile'] as const) {
    if (ssl[name] !== null && !ssl.enabled) {
      throw configError('kafka.ssl.enabled', `must be true when kafka.ssl.${name} is set`);
    }
  }
  for (const name of ['username', 'password'] as const) {
    if ((sasl[name] === null) === (sasl.mechanism === null)) continue;
    throw sasl.mechanism === null
      ? configError('kafka.sasl.mechanism', `must be set when kafka.sasl.${name} is`)
      : configError(`kafka.sasl.${name}`, 'must be set when kafka.sasl.mechanism is');
  }
  checkProcesses(config);
  const brokers = config.kafka.brokers;
  const shared = brokers !== null && brokers.length > 0 ? 'kafka.brokers' : 'cluster.discovery';
  if (
    config.security.hmacSecret === null &&
    (shared === 'kafka.brokers' || config.cluster.discovery !== 'none')
  ) {
    throw configError(
      'security.hmacSecret',
      `must be set, to the same value on all nodes, when ${shared} is set`,
    );
  }
  if (config.cluster.discovery !== 'none' && config.cluster.secret === null) {
    throw configError('cluster.secret', 'must be set when cluster.discovery is not none');
  }
  if (config.cluster.discovery === 'kafka' && shared !== 'kafka.brokers') {
    throw configError('kafka.brokers', 'must be set when cluster.discovery is kafka');
  }
  const isAnyAddress = config.host === '0.0.0.0' || config.host === '::';
  if (config.cluster.discovery !== 'none' && isAnyAddress && config.advertiseUrl === null) {
    throw configError('advertiseUrl', `must be set in a cluster when host is ${config.host}`);
  }
  return {
    ...config,
    stores: resolveStores(config.stores),
    kafka: { ...config.kafka, brokers: brokers === null || brokers.length === 0 ? null : brokers },
    security: { ...config.security, capabilities },
  };
}

/** Checks the settings that several processes cannot have, or need once each. */
function checkProcesses({ processes, cluster, metrics, nodeId }: Settings): void {
  if (processes === 1) return;
  if (cluster.discovery !== 'none') {
    throw configError(
      'processes',
      `must be 1 when cluster.discovery is ${cluster.discovery}: nodes of a cluster cannot share a port`,
    );
  }
  const lastPort = (metrics.port ?? 0) + processes - 1;
  if (metrics.port !== null && metrics.port !== 0 && lastPort > 65_535) {
    throw configError(
      'metrics.port',
      `must be at most ${65_536 - processes} with ${processes} processes, which take the ports from it on, got ${metrics.port}`,
    );
  }
  const lastId = `${nodeId ?? ''}-${processes}`;
  if (nodeId !== null && lastId.length > MAX_NODE_ID_UNITS) {
    throw configError(
      'nodeId',
      `must leave room for the number of a process, as in ${lastId}: ${MAX_NODE_ID_UNITS} characters in all`,
    );
  }
}

/** Freezes a value and everything in it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member);
    Object.freeze(value);
  }
  return value;
}
