import { CHANNEL_NAMES } from '@esdb-gater/types';
import { Argument, type Command } from 'commander';
import { SHELLS, type Shell } from './completion.ts';
import type { CommandTools } from './store-commands.ts';
import { addWatchOptions } from './watch.ts';

/** Defines the commands that show the state of a gateway and its settings, and those for the shell of their user. */
export function addOperationCommands(program: Command, tools: CommandTools): void {
  const { terminal, client, run } = tools;
  addWatchOptions(client(program.command('health')))
    .description('print the state of a gateway; exit code 1 when it is unhealthy')
    .action(run(async (given: never) => (await import('./commands/health.ts')).health(given, terminal)));

  addWatchOptions(client(program.command('channels')))
    .description('print the channels with their rules, subscribers and rates')
    .action(run(async (given: never) => (await import('./commands/channels.ts')).channels(given, terminal)));

  addWatchOptions(client(program.command('nodes')))
    .description('list the live nodes of a cluster')
    .action(run(async (given: never) => (await import('./commands/cluster.ts')).nodes(given, terminal)));

  addWatchOptions(client(program.command('workers')))
    .description('list the workers of all stores, or of the one that --store names, with their state')
    .hook('preAction', (_, command) => {
      if (command.getOptionValueSource('store') === 'default') command.setOptionValue('store', undefined);
    })
    .action(run(async (given: never) => (await import('./commands/cluster.ts')).workers(given, terminal)));

  client(program.command('top'))
    .description(
      'show health, stores and channels live, until Ctrl-C; elsewhere than at a terminal a line for each state',
    )
    .option('--interval <seconds>', 'between two states (default: 2)')
    .option('--count <n>', 'end after so many')
    .action(run(async (given: never) => (await import('./commands/top.ts')).top(given, terminal)));

  client(program.command('bench'))
    .description(
      'measure appends, reads and fan-out of a running gateway; its streams are deleted at the end',
    )
    .option('--events <n>', 'events to append and read (default: 2000)')
    .option('--writers <n>', 'streams that are written at the same time (default: 16)')
    .option('--messages <n>', 'messages to publish (default: 500)')
    .option('--subscribers <n>', 'connections that receive each message (default: 10)')
    .option('--bytes <n>', 'text in each event and message (default: 200)')
    .option('--channel <channel>', `of the messages (default: events): ${CHANNEL_NAMES.join(', ')}`)
    .action(run(async (given: never) => (await import('./commands/bench.ts')).bench(given, terminal)));

  const context = program.command('context').description('gateways by name, in ~/.config/esdb-gater');
  client(context.command('list'))
    .description('list them; the current one has a star')
    .action(
      run(async (given: never) => (await import('./commands/context.ts')).contextList(given, terminal)),
    );
  client(context.command('add'))
    .description('keep --url, --store, --token-file, --identity-file and --ca-file under a name')
    .argument('<name>', 'the name')
    .option('--use', 'make it the current one')
    .action(
      run(async (name: string, given: never) =>
        (await import('./commands/context.ts')).contextAdd(name, given, terminal),
      ),
    );
  client(context.command('use'))
    .description('make one the current one')
    .argument('<name>', 'the name')
    .action(
      run(async (name: string, given: never) =>
        (await import('./commands/context.ts')).contextUse(name, given, terminal),
      ),
    );
  client(context.command('remove'))
    .description('forget one')
    .argument('<name>', 'the name')
    .action(
      run(async (name: string, given: never) =>
        (await import('./commands/context.ts')).contextRemove(name, given, terminal),
      ),
    );

  program
    .command('completion')
    .description('print a script that completes commands and options')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .action(
      run(async (shell: Shell) => {
        const { completionScript } = await import('./completion.ts');
        terminal.stdout.write(completionScript(program, shell));
      }),
    );
}

/** Defines `config`, whose flags are the whole configuration where it runs. */
export async function addConfigCommands(
  program: Command,
  { terminal, run }: CommandTools,
  runs: boolean,
): Promise<void> {
  const config = program.command('config').description('the settings of a gateway that starts here');
  const print = settings(config.command('print'))
    .description('print the settings in force, with where each comes from; secrets are left out')
    .option('--all', 'the defaults of the channels, too');
  const check = settings(config.command('check')).description('say what is wrong with the settings');
  if (!runs) return;
  const { addStartFlags, givenFlags } = await import('./start-flags.ts');
  addStartFlags(print).action(
    run(async (given: Readonly<Record<string, unknown>>) =>
      (await import('./commands/config.ts')).configPrint(given, givenFlags(given), terminal),
    ),
  );
  addStartFlags(check).action(
    run(async (given: Readonly<Record<string, unknown>>) =>
      (await import('./commands/config.ts')).configCheck(given, givenFlags(given), terminal),
    ),
  );
}

function settings(command: Command): Command {
  return command
    .option('--config <file>', 'settings in JSON or YAML; environment variables and flags override it')
    .option('--json', 'one JSON value per line, errors too');
}
