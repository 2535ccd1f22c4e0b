import type { JsonValue } from '@esdb-gater/types';
import { parse as parseYaml } from 'yaml';
import { configError, oneLine } from './config-error.ts';
import { CONFIG_KEYS, type ConfigKey } from './keys.ts';
import { parseText } from './parse-text.ts';
import { readTextFile } from './read-text-file.ts';
import { didYouMean } from './suggest.ts';

/** A value of a key, with the name of the key in its source. */
export interface Setting {
  readonly key: ConfigKey;
  readonly value: JsonValue;
  readonly source: string;
}

const MAX_FILE_BYTES = 1_048_576;

const BY_PATH: ReadonlyMap<string, ConfigKey> = new Map(CONFIG_KEYS.map((key) => [key.path, key]));
const BY_ENV: ReadonlyMap<string, ConfigKey> = new Map(CONFIG_KEYS.map((key) => [key.env, key]));
const BY_FLAG: ReadonlyMap<string, ConfigKey> = new Map(CONFIG_KEYS.map((key) => [key.flag, key]));
/** The paths of objects that contain keys: `kafka`, `channels`, `channels.health`, … */
const SECTIONS: ReadonlySet<string> = new Set(
  CONFIG_KEYS.flatMap(({ path }) => {
    const parts = path.split('.');
    return parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join('.'));
  }),
);

/** The variables of the library and the command line. The gateway does not read them. */
const FOREIGN_VARIABLES: ReadonlySet<string> = new Set([
  'ESDB_GATER_ENGINE',
  'ESDB_GATER_URL',
  'ESDB_GATER_TOKEN',
]);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Reads the settings of a configuration file, JSON or YAML, of at most 1 MiB.
 *
 * @throws `invalid_argument` (reason `configuration`) when it cannot be read or has an unknown key
 */
export function fileSettings(file: string): Setting[] {
  const content = parseFile(file);
  if (content === null || content === undefined) return [];
  if (!isRecord(content)) throw configError(file, 'must be an object of settings');
  const settings: Setting[] = [];
  collect(content, '', settings);
  return settings;
}

function parseFile(file: string): unknown {
  let text: string;
  try {
    text = readTextFile(file, MAX_FILE_BYTES);
  } catch (error) {
    throw configError(file, `cannot be read: ${(error as Error).message}`);
  }
  try {
    return file.endsWith('.json') ? JSON.parse(text) : parseYaml(text, { prettyErrors: false });
  } catch {
    // The message of a parser may quote a secret of the file, so it is not passed on.
    throw configError(file, 'must be valid JSON or YAML');
  }
}

function collect(section: Record<string, unknown>, prefix: string, settings: Setting[]): void {
  for (const [name, value] of Object.entries(section)) {
    const path = prefix + name;
    const key = BY_PATH.get(path);
    if (key !== undefined) settings.push({ key, value: value as JsonValue, source: path });
    else if (!SECTIONS.has(path))
      throw configError(path, `is not a known key${didYouMean(path, BY_PATH.keys())}`);
    else if (isRecord(value)) collect(value, `${path}.`, settings);
    else if (value !== null) throw configError(path, 'must be an object');
  }
}

/** Returns true for a variable that Kubernetes sets in every pod for a service named `esdb-gater…`. */
function isKubernetesVariable(name: string, value: string): boolean {
  if (/_PORT$/.test(name) && /^(tcp|udp|sctp):\/\//.test(value)) return true;
  return !BY_ENV.has(name) && (/_SERVICE_/.test(name) || /_PORT_/.test(name));
}

/**
 * Reads the settings of the environment: every variable that begins with `ESDB_GATER_`. An empty one is unset.
 *
 * @throws `invalid_argument` (reason `configuration`) that names an unknown variable or a wrong value
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
    if (key === undefined)
      throw configError(name, `is not a known variable${didYouMean(name, BY_ENV.keys())}`);
    settings.push({ key, value: parseText(key, value, name), source: name });
  }
  if (ignored.length > 0)
    warn(`ignored these variables, which Kubernetes sets for a service: ${ignored.join(', ')}`);
  return settings;
}

/**
 * Reads the settings of flags, by the name of the flag with or without the leading dashes, or by the path.
 *
 * @throws `invalid_argument` (reason `configuration`) that names an unknown flag or a wrong value
 */
export function flagSettings(
  flags: Readonly<Record<string, string | boolean | readonly string[] | undefined>>,
): Setting[] {
  const settings: Setting[] = [];
  for (const [name, given] of Object.entries(flags)) {
    if (given === undefined) continue;
    const flag = `--${name.replace(/^--/, '')}`;
    const key = BY_FLAG.get(flag) ?? BY_PATH.get(name);
    if (key === undefined) throw configError(flag, `is not a known flag${didYouMean(flag, BY_FLAG.keys())}`);
    const text = typeof given === 'object' ? given.join(',') : String(given);
    settings.push({ key, value: parseText(key, text, key.flag), source: key.flag });
  }
  return settings;
}
