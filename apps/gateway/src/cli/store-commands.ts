import type { Command } from 'commander';
import type { Terminal } from './context.ts';
import { addWatchOptions } from './watch.ts';

/** What the definitions of commands share. */
export interface CommandTools {
  readonly terminal: Terminal;
  /** Adds the options that every command but `start` takes. */
  readonly client: (command: Command) => Command;
  /** Makes what commander calls: runs the action and reports its exit code. */
  readonly run: (action: (...args: never[]) => Promise<unknown>) => (...args: unknown[]) => Promise<void>;
  /** Collects the values of an option that may be repeated. */
  readonly collect: (value: string, list: readonly string[] | undefined) => readonly string[];
}

/** Defines the commands that work with the events and the files of a store. */
export function addStoreCommands(program: Command, tools: CommandTools): void {
  const { terminal, client, run, collect } = tools;
  addWatchOptions(client(program.command('streams')))
    .description('list the streams of a store')
    .argument('[prefix]', 'only streams whose names begin with it')
    .option('--count <n>', 'at most so many')
    .action(
      run(async (prefix: string | undefined, given: never) =>
        (await import('./commands/streams.ts')).streams(prefix, given, terminal),
      ),
    );

  client(program.command('delete'))
    .description('delete a stream; a later append begins it again with the next version')
    .argument('<stream>', 'the stream')
    .option('--expected-version <version>', 'a version from 0, any, none or exists (default: any)')
    .action(
      run(async (stream: string, given: never) =>
        (await import('./commands/streams.ts')).deleteStream(stream, given, terminal),
      ),
    );

  selecting(client(program.command('query')), collect)
    .description('print the events of a store by types and tags')
    .option('--after <position>', 'begin after this position (default: 0)')
    .option('--count <n>', 'at most so many events')
    .action(run(async (given: never) => (await import('./commands/query.ts')).query(given, terminal)));

  selecting(client(program.command('follow')), collect)
    .description('print the events of a stream, a query or a store, and then each new one, until Ctrl-C')
    .argument('[stream]', 'the stream')
    .option('--all', 'the whole store')
    .option('--after <position>', 'begin after this position (default: 0)')
    .option('--count <n>', 'end after so many events')
    .action(
      run(async (stream: string | undefined, given: never) =>
        (await import('./commands/follow.ts')).follow(stream, given, terminal),
      ),
    );

  client(program.command('verify'))
    .description('check the hash chains of a store that keeps them; exit code 1 when one is broken')
    .argument('[stream]', 'only this stream')
    .action(
      run(async (stream: string | undefined, given: never) =>
        (await import('./commands/verify.ts')).verify(stream, given, terminal),
      ),
    );

  onFiles(program.command('backup'))
    .description('copy the database of a SQLite store on this machine, whether a gateway serves it or not')
    .argument('<file>', 'where to; a new file of mode 0600')
    .action(
      run(async (file: string, given: never) =>
        (await import('./commands/backup.ts')).backup(file, given, terminal),
      ),
    );

  program
    .command('copy')
    .description('copy a store to PostgreSQL: all of it, as it is; repeated, it goes on where it stopped')
    .requiredOption('--from <file or url>', 'a SQLite file, or the connection string of a PostgreSQL store')
    .requiredOption('--to <url>', 'the connection string of the PostgreSQL to copy to')
    .option('--store <store>', 'the store', 'default')
    .option('--from-schema <name>', 'the schema to copy from (default: esdb_gater_<store>)')
    .option('--to-schema <name>', 'the schema to copy to (default: esdb_gater_<store>)')
    .option('--tamper-evident', 'keep chains of hashes, also when the source does not')
    .option('--json', 'one JSON value per line, errors too')
    .action(run(async (given: never) => (await import('./commands/copy.ts')).copy(given, terminal)));

  onFiles(program.command('restore'))
    .description('replace the database of a SQLite store by a backup; stop its gateway first')
    .argument('<file>', 'the backup')
    .action(
      run(async (file: string, given: never) =>
        (await import('./commands/backup.ts')).restore(file, given, terminal),
      ),
    );
}

/** Adds the options that select events. */
function selecting(command: Command, collect: CommandTools['collect']): Command {
  return command
    .option('--type <type>', 'events of this type; repeated, of any of them', collect)
    .option('--tag <tag>', 'events with this tag; repeated, with all of them', collect)
    .option('--query <json>', '{ "items": [{ "types": [], "tags": [] }] }, or the list of items');
}

/** Adds the options of commands that work on the files of a store, without a gateway. */
function onFiles(command: Command): Command {
  return command
    .option('--store <store>', 'the store', 'default')
    .option('--data-dir <folder>', "the gateway's data folder (default: ESDB_GATER_DATA_DIR, else ./data)")
    .option('--config <file>', 'the settings of the gateway, which say where its stores are')
    .option('--store-file <file>', 'the database itself, instead of the settings')
    .option('--force', 'replace what exists')
    .option('--json', 'one JSON value per line, errors too');
}
