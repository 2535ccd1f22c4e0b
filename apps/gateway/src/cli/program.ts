import { Command, Option } from 'commander';
import { append } from './commands/append.ts';
import { health } from './commands/health.ts';
import { importEvents } from './commands/import.ts';
import { publish } from './commands/publish.ts';
import { read } from './commands/read.ts';
import { start } from './commands/start.ts';
import { subscribe } from './commands/subscribe.ts';
import type { Terminal } from './context.ts';
import { EXIT } from './exit.ts';
import { addStartFlags, givenFlags } from './start-flags.ts';

/** The command line, as commander sees it. `done` is told the exit code of the command that ran. */
export function createProgram(version: string, terminal: Terminal, done: (exit: number) => void): Command {
  const program = new Command('esdb-gater')
    .description('The gateway for event stores and pub/sub channels, and its command line.')
    .version(version)
    .showHelpAfterError('(--help tells what there is)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
    });

  const run =
    (action: (...args: never[]) => Promise<unknown>) =>
    async (...args: unknown[]): Promise<void> => {
      // Commander hands over the command itself as the last argument.
      const code = await action(...(args.slice(0, -1) as never[]));
      done(typeof code === 'number' ? code : EXIT.ok);
    };

  addStartFlags(
    program
      .command('start')
      .description('run the gateway')
      .option('--config <file>', 'settings in JSON or YAML; environment variables and flags win over it'),
  ).action(
    run((options: { readonly config?: string }) =>
      start(options.config, givenFlags(options as object as Record<string, unknown>), terminal),
    ),
  );

  client(program.command('append'))
    .description('append one event, or NDJSON of events on standard input as one atomic append')
    .argument('<stream>', 'the stream')
    .option('--type <type>', "the event's type")
    .option('--data <json>', "the event's data as JSON (default: null)")
    .option('--id <uuid>', 'makes the append idempotent (default: a new UUIDv7)')
    .option('--metadata <json>', 'a JSON object')
    .option('--tag <tag>', 'may be repeated', collect)
    .option('--expected-version <version>', 'a version from 0, any, none or exists (default: any)')
    .action(run((stream: string, options: never) => append(stream, options, terminal)));

  client(program.command('read'))
    .description('print events as NDJSON')
    .argument('[stream]', 'the stream')
    .option('--all', 'the whole store, in the order of positions')
    .option('--from <n>', 'the first version; with --all the position after which to begin')
    .option('--count <n>', 'at most so many events')
    .option('--backward', 'from the newest down')
    .action(run((stream: string | undefined, options: never) => read(stream, options, terminal)));

  client(program.command('publish'))
    .description('publish a message, or NDJSON of { topic, message } on standard input')
    .argument(
      '<channel>',
      'alerts, security, events, health, system, metrics, audit, lifecycle, logging, diagnostics',
    )
    .argument('[topic]', 'segments joined by dots')
    .argument('[json]', 'the message')
    .option(
      '--sign',
      "sign it, with ESDB_GATER_SECURITY_HMAC_SECRET or the secret in the gateway's data folder",
    )
    .option('--data-dir <folder>', "the gateway's data folder, for --sign (default: ./data)")
    .option('--id <id>', 'the same id again within five minutes is not published twice')
    .option('--wait', 'wait and send again when the rate limit refuses')
    .action(
      run((channel: string, topic: string | undefined, json: string | undefined, options: never) =>
        publish(channel, topic, json, options, terminal),
      ),
    );

  client(program.command('subscribe'))
    .description('print messages as NDJSON until Ctrl-C')
    .argument('<channel>', 'the channel')
    .argument('<topic>', '"*" is one segment, a last ">" one or more')
    .option('--from <from>', 'latest, earliest, position:<position> or time:<RFC 3339> (default: latest)')
    .option('--count <n>', 'end after so many messages')
    .action(
      run((channel: string, topic: string, options: never) => subscribe(channel, topic, options, terminal)),
    );

  client(program.command('import'))
    .description(
      'append NDJSON of { streamId, type, data, id?, metadata?, tags? } or of CloudEvents; run it again to resume',
    )
    .argument('[file]', 'standard input when it is missing')
    .option('--stream <stream>', 'the stream of all events')
    .action(run((file: string | undefined, options: never) => importEvents(file, options, terminal)));

  client(program.command('health'))
    .description('the state of a gateway; exit 1 when it is unhealthy')
    .action(run((options: never) => health(options, terminal)));

  return program;
}

/** The options that every command but `start` takes. */
function client(command: Command): Command {
  return command
    .option('--store <store>', 'the store', 'default')
    .option('--url <url>', 'the gateway (default: ESDB_GATER_URL, else ws://127.0.0.1:4590/v1/ws)')
    .addOption(new Option('--token-file <file>', 'a capability token (default: the one in ESDB_GATER_TOKEN)'))
    .option('--json', 'one JSON value per line, errors too');
}

function collect(value: string, list: readonly string[] | undefined): readonly string[] {
  return [...(list ?? []), value];
}
