import { readFileSync } from 'node:fs';
import type { JsonValue } from '@esdb-gater/types';
import { parse as parseYaml } from 'yaml';
import { configError, oneLine } from './config-error.ts';
import { CONFIG_KEYS, type ConfigKey } from './keys.ts';
import { parseText } from './parse-text.ts';
import { didYouMean } from './suggest.ts';

/** A value that a source gives for a key, with the name that the source knows the key by. */
export interface Setting {
  readonly key: ConfigKey;
  readonly value: JsonValue;
  readonly source: string;
}

const BY_PATH: ReadonlyMap<string, ConfigKey> = new Map(CONFIG_KEYS.map((key) => [key.path, key]));
const BY_ENV: ReadonlyMap<string, ConfigKey> = new Map(CONFIG_KEYS.map((key) => [key.env, key]));
const BY_FLAG: ReadonlyMap<string, ConfigKey> = new Map(CONFIG_KEYS.map((key) => [key.flag, key]));
/** `kafka`, `channels`, `channels.health`, …: objects on the way to a key. */
const SECTIONS: ReadonlySet<string> = new Set(
  CONFIG_KEYS.flatMap(({ path }) => {
    const parts = path.split('.');
    return parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join('.'));
  }),
);

/** The variables of the library and the command line, which are not the gateway's. */
const FOREIGN_VARIABLES: ReadonlySet<string> = new Set([
  'ESDB_GATER_ENGINE',
  'ESDB_GATER_URL',
  'ESDB_GATER_TOKEN',
]);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The settings of a configuration file, JSON or YAML.
 *
 * @throws `invalid_argument` (reason `configuration`) when it cannot be read or has an unknown key
 */
export function fileSettings(file: string): Setting[] {
  let content: unknown;
  try {
    const text = readFileSync(file, 'utf8');
    content = file.endsWith('.json') ? JSON.parse(text) : parseYaml(text, { prettyErrors: false });
  } catch (error) {
    const { code, name } = error as { readonly code?: string; readonly name?: string };
    // A parser's message may quote a secret of the file, so only its kind is told.
    throw configError(
      file,
      code === undefined || name?.startsWith('YAML')
        ? 'is neither JSON nor YAML'
        : `cannot be read (${code})`,
    );
  }
  if (content === null || content === undefined) return [];
  if (!isRecord(content)) throw configError(file, 'expected an object of settings');
  const settings: Setting[] = [];
  collect(content, '', settings);
  return settings;
}

function collect(section: Record<string, unknown>, prefix: string, settings: Setting[]): void {
  for (const [name, value] of Object.entries(section)) {
    const path = prefix + name;
    const key = BY_PATH.get(path);
    if (key !== undefined) settings.push({ key, value: value as JsonValue, source: path });
    else if (!SECTIONS.has(path)) throw configError(path, `unknown key${didYouMean(path, BY_PATH.keys())}`);
    else if (isRecord(value)) collect(value, `${path}.`, settings);
    else if (value !== null) throw configError(path, 'expected an object');
  }
}

/** True for what Kubernetes sets in every pod for a service whose name begins with `esdb-gater`. */
function isKubernetesVariable(name: string, value: string): boolean {
  if (/_PORT$/.test(name) && /^(tcp|udp|sctp):\/\//.test(value)) return true;
  return !BY_ENV.has(name) && (/_SERVICE_/.test(name) || /_PORT_/.test(name));
}

/**
 * The settings of the environment: every variable that begins with `ESDB_GATER_`. An empty one is as good as none.
 *
 * @throws `invalid_argument` (reason `configuration`) that names a variable nobody knows or whose value is wrong
 */
export function envSettings(
  env: Readonly<Record<string, string | undefined>>,
  warn: (message: string) => void,
): Setting[] {
  const settings: Setting[] = [];
  const ignored: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('ESDB_GATER_') || FOREIGN_VARIABLES.has(name)) continue;
    if (value === undefined || value === '') continue;
    if (isKubernetesVariable(name, value)) {
      ignored.push(oneLine(name));
      continue;
    }
    const key = BY_ENV.get(name);
    if (key === undefined) throw configError(name, `unknown variable${didYouMean(name, BY_ENV.keys())}`);
    settings.push({ key, value: parseText(key, value, name), source: name });
  }
  if (ignored.length > 0) warn(`ignored, as Kubernetes sets them for a service: ${ignored.join(', ')}`);
  return settings;
}

/**
 * The settings of flags, by the flag's name with or without the leading dashes, or by the path.
 *
 * @throws `invalid_argument` (reason `configuration`) that names a flag nobody knows or whose value is wrong
 */
export function flagSettings(
  flags: Readonly<Record<string, string | boolean | readonly string[] | undefined>>,
): Setting[] {
  const settings: Setting[] = [];
  for (const [name, given] of Object.entries(flags)) {
    if (given === undefined) continue;
    const flag = `--${name.replace(/^--/, '')}`;
    const key = BY_FLAG.get(flag) ?? BY_PATH.get(name);
    if (key === undefined) throw configError(flag, `unknown flag${didYouMean(flag, BY_FLAG.keys())}`);
    const text = typeof given === 'object' ? given.join(',') : String(given);
    settings.push({ key, value: parseText(key, text, key.flag), source: key.flag });
  }
  return settings;
}
