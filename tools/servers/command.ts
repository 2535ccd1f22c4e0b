import { parseArgs } from 'node:util';

/** A command line that is wrong: the usage is printed, and the exit code is 2. */
export class UsageError extends Error {}

/** What the tools that start servers have in common on their command lines. */
export interface ServerSettings {
  readonly command: string;
  readonly count: 1 | 3;
  /** Of the first server. */
  readonly port: number;
  readonly dir: string | undefined;
  /** The switches that were given. */
  readonly switches: ReadonlySet<string>;
}

export interface ServerArguments {
  /** The option that says how many servers there are, such as `nodes`. */
  readonly count: string;
  readonly port: number;
  /** The last port that leaves room for the ports of all servers. */
  readonly lastPort: number;
  /** Options without a value. */
  readonly switches?: readonly string[];
}

/** Writes a line to standard output. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Reads the command line of a tool that starts servers. @throws {UsageError} also for `--help`, without a message */
export function serverSettings({
  count,
  port: defaultPort,
  lastPort,
  switches = [],
}: ServerArguments): ServerSettings {
  const { values, positionals } = parsed(count, switches);
  if (values['help'] === true) throw new UsageError('');
  const [command = '', ...extra] = positionals;
  if (extra.length > 0) throw new UsageError(`one command at a time, not ${positionals.join(' ')}`);
  const wanted = values[count] ?? '1';
  if (wanted !== '1' && wanted !== '3') throw new UsageError(`--${count} is 1 or 3, not ${wanted}`);
  const port = Number(values['port'] ?? defaultPort);
  if (!Number.isInteger(port) || port < 1 || port > lastPort) {
    throw new UsageError(`--port is a port from 1 to ${lastPort}, not ${values['port']}`);
  }
  const { dir } = values as { readonly dir?: string };
  const given = new Set(switches.filter((name) => values[name] === true));
  return { command, count: wanted === '3' ? 3 : 1, port, dir, switches: given };
}

function parsed(
  count: string,
  switches: readonly string[],
): { readonly values: Readonly<Record<string, unknown>>; readonly positionals: readonly string[] } {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        [count]: text,
        port: text,
        dir: text,
        help: flag,
        ...Object.fromEntries(switches.map((name) => [name, flag])),
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Runs the command of a tool among those that it has. */
export async function runCommand(
  tool: string,
  usage: string,
  read: () => ServerSettings,
  commands: Readonly<Record<string, (settings: ServerSettings) => number | Promise<number>>>,
): Promise<void> {
  try {
    const settings = read();
    const { command } = settings;
    const run = Object.hasOwn(commands, command) ? commands[command] : undefined;
    if (run === undefined) {
      throw new UsageError(command === '' ? 'a command is missing' : `there is no command ${command}`);
    }
    process.exitCode = await run(settings);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const isUsage = error instanceof UsageError;
    const asked = isUsage && message === '';
    if (asked) say(usage);
    else process.stderr.write(`${tool}: ${message}\n${isUsage ? `\n${usage}\n` : ''}`);
    process.exitCode = asked ? 0 : isUsage ? 2 : 1;
  }
}
