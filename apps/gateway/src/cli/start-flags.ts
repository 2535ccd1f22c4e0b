import { type Command, Option } from 'commander';
import { CONFIG_KEYS, type ConfigKey } from '../config/keys.ts';

/** The same six keys for each of ten channels would bury the rest of the help. */
const CHANNEL_KEY = /^channels\./;

const CHANNEL_HELP = `
Each channel has --channels-<name>-priority, -max-rate, -require-signature, -history, -enabled and -capabilities.
Every key can also be set in the file (a.b: value) and in the environment (ESDB_GATER_A_B=value).`;

/** Adds a flag for every key of the configuration. */
export function addStartFlags(command: Command): Command {
  for (const key of CONFIG_KEYS) command.addOption(optionOf(key));
  return command.addHelpText('after', CHANNEL_HELP);
}

/** The flags that were given, by the name of their flag. */
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
  const fallback = key.default === null || key.secret ? '' : ` (default: ${JSON.stringify(key.default)})`;
  const option = new Option(
    `--${key.flag.replace(/^--/, '')} ${placeholder}`,
    `${key.description}${fallback}`,
  );
  return CHANNEL_KEY.test(key.path) ? option.hideHelp() : option;
}
