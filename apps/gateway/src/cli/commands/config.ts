import type { JsonValue } from '@esdb-gater/types';
import { CONFIG_KEYS, type ConfigKey } from '../../config/keys.ts';
import { loadConfig, settingOrigins } from '../../config/load-config.ts';
import { outputOf, type Terminal } from '../context.ts';
import { plain } from '../output.ts';
import { shorten, writeList } from '../table.ts';

export interface ConfigOptions {
  readonly config?: string;
  readonly json?: boolean;
  /** Prints all settings, not only those that differ from their defaults. */
  readonly all?: boolean;
}

const SECRET = '(secret)';

/** Names of members whose values are secrets, in settings that are objects. */
const SECRET_MEMBER = /password|secret|token/i;

const VALUE_COLUMNS = 60;

type Flags = Readonly<Record<string, string | boolean>>;

function sourcesOf({ config: file }: ConfigOptions, flags: Flags, terminal: Terminal) {
  const warn = (message: string): void => void terminal.stderr.write(`${plain(message)}\n`);
  return { ...(file === undefined ? {} : { file }), env: terminal.env, flags, warn };
}

/** `config print`: prints the settings in force, with where each comes from. Secrets are left out. */
export async function configPrint(options: ConfigOptions, flags: Flags, terminal: Terminal): Promise<void> {
  const sources = sourcesOf(options, flags, terminal);
  const config = loadConfig(sources);
  const origins = settingOrigins({ ...sources, warn: () => undefined });
  const settings = CONFIG_KEYS.filter(({ twinOf }) => twinOf === undefined)
    .map((key) => ({
      key: key.path,
      value: shown(key, valueAt(config, key.path)),
      origin: origins.get(key.path) ?? 'default',
    }))
    // Fifty settings of channels would bury the rest.
    .filter(
      ({ key, origin }) => options.all === true || origin !== 'default' || !key.startsWith('channels.'),
    );
  await writeList(outputOf({ store: '', ...options }, terminal), settings, {
    head: ['KEY', 'VALUE', 'ORIGIN'],
    row: ({ key, value, origin }) => [key, shorten(JSON.stringify(value), VALUE_COLUMNS), origin],
    none: 'there are no settings',
  });
}

/** `config check`: fails with what is wrong with the settings. */
export async function configCheck(options: ConfigOptions, flags: Flags, terminal: Terminal): Promise<void> {
  loadConfig(sourcesOf(options, flags, terminal));
  await outputOf({ store: '', ...options }, terminal).result({ valid: true }, 'the settings are valid');
}

function valueAt(config: object, path: string): JsonValue {
  return path
    .split('.')
    .reduce<unknown>((at, name) => (at as Record<string, unknown> | null)?.[name], config) as JsonValue;
}

function shown({ secret, kind }: ConfigKey, value: JsonValue): JsonValue {
  if (!secret || value === null || value === undefined) return value ?? null;
  return kind === 'secret' ? SECRET : redacted(value);
}

/** Leaves out secrets in a setting that is an object: members with such a name, and passwords in URLs. */
function redacted(value: JsonValue): JsonValue {
  if (typeof value === 'string') return value.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, `$1${SECRET}@`);
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(redacted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      SECRET_MEMBER.test(name) && !/File$/.test(name) && member !== null ? SECRET : redacted(member),
    ]),
  );
}
