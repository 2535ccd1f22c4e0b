import { CHANNEL_NAMES } from '@esdb-gater/types';
import { Command } from 'commander';
import type { CommonOptions, Terminal } from './context.ts';
import { withContext } from './contexts.ts';
import { EXIT } from './exit.ts';
import { addConfigCommands, addOperationCommands } from './operation-commands.ts';
import { addStoreCommands, type CommandTools } from './store-commands.ts';
import { addSubscriptionCommands } from './subscription-commands.ts';

/** A function that commander calls with the arguments, the options and the command. */
type Action = (...args: never[]) => Promise<unknown>;

export interface ProgramOptions {
  readonly version: string;
  readonly terminal: Terminal;
  /** Receives the exit code of the command. */
  readonly done: (exit: number) => void;
  /** True when the command is `start`: its flags are the whole configuration. */
  readonly starts: boolean;
  /** The same for `config`. */
  readonly configures: boolean;
}

/**
 * Creates the command line. Each command is loaded when it runs, so that none waits for modules of another: above all
 * for the server with its stores.
 */
export async function createProgram(options: ProgramOptions): Promise<Command> {
  const { version, terminal, done, starts } = options;
  const program = new Command('esdb-gater')
    .description('The gateway for event stores and pub/sub channels, and its command line.')
    .version(version)
    .showHelpAfterError('(see --help)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
    });

  const run =
    (action: Action) =>
    async (...args: unknown[]): Promise<void> => {
      // Commander hands over the options and the command itself as the last arguments.
      const command = args.at(-1) as Command;
      const given = args.slice(0, -1);
      if (takesContext(command)) {
        const isGiven = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
        given[given.length - 1] = withContext(command.opts<CommonOptions>(), terminal, isGiven);
      }
      const code = await action(...(given as never[]));
      done(typeof code === 'number' ? code : EXIT.ok);
    };

  const start = program
    .command('start')
    .description('run the gateway')
    .option(
      '--config <file>',
      'settings in JSON or YAML, at most 1 MiB; environment variables and flags override it',
    )
    .option('--json', 'log JSON lines also at a terminal');
  if (starts) {
    const { addStartFlags, givenFlags } = await import('./start-flags.ts');
    addStartFlags(start).action(
      run(async (given: { readonly config?: string; readonly json?: boolean }) => {
        const command = await import('./commands/start.ts');
        return command.start(given, givenFlags({ ...given }), terminal);
      }),
    );
  }

  client(program.command('append'))
    .description('append one event, or NDJSON of events on standard input as one atomic append')
    .argument('<stream>', 'the stream')
    .option('--type <type>', "the event's type")
    .option('--data <json>', "the event's data as JSON (default: null)")
    .option('--id <uuid>', 'makes the append idempotent (default: a new UUIDv7)')
    .option('--metadata <json>', 'a JSON object')
    .option('--tag <tag>', 'may be repeated', collect)
    .option('--expected-version <version>', 'a version from 0, any, none or exists (default: any)')
    .option(
      '--condition <json>',
      '{ "failIfEventsMatch": query, "after": position }: append only when none matches',
    )
    .action(
      run(async (stream: string, given: never) =>
        (await import('./commands/append.ts')).append(stream, given, terminal),
      ),
    );

  client(program.command('read'))
    .description('print events: a line for each at a terminal, else NDJSON')
    .argument('[stream]', 'the stream')
    .option('--all', 'the whole store, in the order of positions')
    .option('--from <n>', 'the first version; with --all the position after which to begin')
    .option('--count <n>', 'at most so many events')
    .option('--backward', 'from the newest down')
    .action(
      run(async (stream: string | undefined, given: never) =>
        (await import('./commands/read.ts')).read(stream, given, terminal),
      ),
    );

  client(program.command('publish'))
    .description('publish a message, or NDJSON of { topic, message } on standard input')
    .argument('<channel>', CHANNEL_NAMES.join(', '))
    .argument('[topic]', 'segments joined by dots')
    .argument('[json]', 'the message')
    .option(
      '--sign',
      "sign it with ESDB_GATER_SECURITY_HMAC_SECRET, the file in …_FILE, or the secret in the gateway's data folder",
    )
    .option('--data-dir <folder>', "the gateway's data folder, for --sign (default: ./data)")
    .option('--id <id>', 'the same id again within five minutes is not published twice')
    .option('--wait', 'wait and send again when the rate limit refuses')
    .action(
      run(async (channel: string, topic: string | undefined, json: string | undefined, given: never) =>
        (await import('./commands/publish.ts')).publish(channel, topic, json, given, terminal),
      ),
    );

  client(program.command('subscribe'))
    .description('print messages until Ctrl-C: a line for each at a terminal, else NDJSON')
    .argument('<channel>', 'the channel')
    .argument('<topic>', '"*" is one segment, a last ">" one or more')
    .option('--from <from>', 'latest, earliest, position:<position> or time:<RFC 3339> (default: latest)')
    .option('--count <n>', 'end after so many messages')
    .action(
      run(async (channel: string, topic: string, given: never) =>
        (await import('./commands/subscribe.ts')).subscribe(channel, topic, given, terminal),
      ),
    );

  client(program.command('import'))
    .description(
      'append events { streamId, type, data, id?, metadata?, tags? }, CloudEvents, or what "read" prints; run it again to resume',
    )
    .argument('[file]', 'NDJSON or a JSON array, also with gzip; standard input when it is missing')
    .option('--stream <stream>', 'the stream of all events')
    .option(
      '--name <name>',
      'the name of the import: an event without an id is written once per name (default: the path of FILE; "-" for standard input)',
    )
    .action(
      run(async (file: string | undefined, given: never) =>
        (await import('./commands/import.ts')).importEvents(file, given, terminal),
      ),
    );

  const tools: CommandTools = { terminal, client, run, collect };
  addStoreCommands(program, tools);
  addSubscriptionCommands(program, tools);

  client(program.command('worker'))
    .description('serve a store through one or several gateways, apart from them, until Ctrl-C')
    .option('--sqlite <file>', 'the database of a SQLite store; it is created when it does not exist')
    .option('--postgres <url>', 'the connection string of a PostgreSQL store')
    .option('--postgres-file <file>', 'a file that contains the connection string')
    .option('--schema <schema>', 'the schema of a PostgreSQL store')
    .option('--tamper-evident', 'keep a chain of hashes per stream, for "verify"')
    .option('--connect <url>', 'a gateway; may be repeated (default: that of --url)', collect)
    .option('--worker-id <id>', 'the name of the worker (default: a new one at each start)')
    .action(run(async (given: never) => (await import('./commands/worker.ts')).worker(given, terminal)));

  addOperationCommands(program, tools);
  await addConfigCommands(program, tools, options.configures);

  const identity = program
    .command('identity')
    .description('Ed25519 identities (did:key), in files of mode 0600');
  client(identity.command('new'))
    .description('make one; an existing file is never overwritten')
    .option('--file <file>', 'where to keep it', 'identity.json')
    .action(
      run(async (given: never) => (await import('./commands/identity.ts')).identityNew(given, terminal)),
    );
  client(identity.command('show'))
    .description('print its DID')
    .option('--file <file>', 'where it is kept', 'identity.json')
    .action(
      run(async (given: never) => (await import('./commands/identity.ts')).identityShow(given, terminal)),
    );

  const token = program
    .command('token')
    .description('capability tokens; read from files or standard input only');
  client(token.command('create'))
    .description('issue a token, or delegate a part of what --parent grants')
    .requiredOption('--audience <did>', 'the DID of the gateway, or of the program that will present it')
    .requiredOption('--grant <action=resource>', 'may be repeated', collect)
    .option('--identity <file>', 'who issues it', 'identity.json')
    .option('--lifetime <seconds>', '60 to 86400 (default: 900)')
    .option('--not-before <time>', 'RFC 3339')
    .option('--parent <file>', 'a token that was issued to the issuer; may be repeated', collect)
    .option('--out <file>', 'write it to a new file of mode 0600 instead of printing it')
    .action(run(async (given: never) => (await import('./commands/token.ts')).tokenCreate(given, terminal)));
  client(token.command('inspect'))
    .description('print the claims of a token and its parents without verifying them')
    .argument('[file]', 'standard input when it is missing')
    .action(
      run(async (file: string | undefined, given: never) =>
        (await import('./commands/token.ts')).tokenInspect(file, given, terminal),
      ),
    );
  client(token.command('verify'))
    .description('say whether a gateway accepts it, and why not')
    .argument('[file]', 'standard input when it is missing')
    .requiredOption('--trusted <did>', 'an issuer at which a chain may end; may be repeated', collect)
    .requiredOption('--audience <did>', 'an audience that it may have; may be repeated', collect)
    .option('--action <action>', 'check also for this action, with --resource')
    .option('--resource <resource>', 'esdb://…')
    .action(
      run(async (file: string | undefined, given: never) =>
        (await import('./commands/token.ts')).tokenVerify(file, given, terminal),
      ),
    );
  client(token.command('revoke'))
    .description('revoke a token')
    .argument('[file]', 'standard input when it is missing')
    .option('--identity <file>', 'its issuer, that of a parent, or a trusted root', 'identity.json')
    .option('--issuer <did>', 'all tokens of this issuer instead of one')
    .option('--reason <text>', 'for the record')
    .action(
      run(async (file: string | undefined, given: never) =>
        (await import('./commands/token.ts')).tokenRevoke(file, given, terminal),
      ),
    );

  return program;
}

/** Returns true for a command that connects to the gateway of a context. */
function takesContext(command: Command): boolean {
  return command.parent?.name() !== 'context' && command.options.some(({ long }) => long === '--context');
}

/** Adds the options that every command but `start` takes. */
function client(command: Command): Command {
  return command
    .option('--store <store>', 'the store', 'default')
    .option('--url <url>', 'the gateway (default: ESDB_GATER_URL, else ws://127.0.0.1:4590/v1/ws)')
    .option('--context <name>', 'a gateway that "context add" has kept (default: the current one)')
    .option('--token-file <file>', 'a capability token (default: the one in ESDB_GATER_TOKEN)')
    .option('--identity-file <file>', 'proves that the token is yours')
    .option('--ca-file <file>', "PEM certificates of the authority that issued the gateway's certificate")
    .option('--json', 'one JSON value per line, errors too');
}

function collect(value: string, list: readonly string[] | undefined): readonly string[] {
  return [...(list ?? []), value];
}
