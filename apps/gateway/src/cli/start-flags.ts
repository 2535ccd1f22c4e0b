import { CHANNEL_NAMES } from '@esdb-gater/types';
import { type Command, Option } from 'commander';
import { Type } from 'typebox';
import { CONFIG_KEYS, type ConfigKey } from '../config/keys.ts';
import { nonNull } from '../config/schema-kit.ts';

/** The same keys for each of ten channels would bury the rest of the help. */
const CHANNEL_KEY = /^channels\./;

/** Adds a flag for every key of the configuration. */
export function addStartFlags(command: Command): Command {
  for (const key of CONFIG_KEYS) command.addOption(optionOf(key));
  return command.addHelpText('after', helpText());
}

/** Returns the flags that were given, by their names. */
export function givenFlags(options: Readonly<Record<string, unknown>>): Record<string, string | boolean> {
  const flags: Record<string, string | boolean> = {};
  for (const key of CONFIG_KEYS) {
    const value = options[optionOf(key).attributeName()];
    if (typeof value === 'string' || typeof value === 'boolean') flags[key.flag] = value;
  }
  return flags;
}

function optionOf(key: ConfigKey): Option {
  const placeholder = key.kind === 'boolean' ? '[true|false]' : `<${key.kind}>`;
  const option = new Option(`${key.flag} ${placeholder}`, `${key.description}${notesOf(key)}`);
  return CHANNEL_KEY.test(key.path) ? option.hideHelp() : option;
}

/** Formats the values of an enumeration, and the default. */
function notesOf({ schema, expected, default: value, whenNull }: ConfigKey): string {
  const words = value === null ? whenNull : JSON.stringify(value);
  const notes = [
    ...(Type.IsEnum(nonNull(schema)) ? [expected] : []),
    ...(words === undefined ? [] : [`default: ${words}`]),
  ];
  return notes.length === 0 ? '' : ` (${notes.join('; ')})`;
}

/** Describes what the list of flags leaves out. */
function helpText(): string {
  const [first] = CHANNEL_NAMES;
  const prefix = `--channels-${first}`;
  const flags = CONFIG_KEYS.map(({ flag }) => flag);
  const ofChannel = flags
    .filter((flag) => flag.startsWith(`${prefix}-`))
    .map((flag) => flag.slice(prefix.length));
  return `
Each channel has --channels-<name> with ${ofChannel.join(', ')}.
Every key can also be set in the file (a.b: value) and in the environment (ESDB_GATER_A_B=value).`;
}
