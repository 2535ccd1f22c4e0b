import type { Command } from 'commander';
import type { CommandTools } from './store-commands.ts';
import { addWatchOptions } from './watch.ts';

/** Defines the commands of persistent subscriptions. */
export function addSubscriptionCommands(program: Command, tools: CommandTools): void {
  const { terminal, client, run, collect } = tools;
  const load = () => import('./commands/subscription.ts');
  const group = program.command('subscription').description('persistent subscriptions');
  const named = (name: string): Command => client(group.command(name)).argument('<name>', 'the subscription');

  addWatchOptions(client(group.command('list')))
    .description('list the subscriptions of a store with their lag')
    .action(run(async (given: never) => (await load()).subscriptionList(given, terminal)));

  named('create')
    .description('make one')
    .option('--stream <stream>', 'the events of one stream')
    .option('--all', 'all events')
    .option('--type <type>', 'events of this type; repeated, of any of them', collect)
    .option('--tag <tag>', 'events with this tag; repeated, with all of them', collect)
    .option('--any-tag <tag>', 'events with this tag; repeated, with any of them', collect)
    .option('--pattern <json>', 'events that match it: type, streamId, data, metadata, tags')
    .option('--payload <json>', 'events whose data match it')
    .option('--from <position>', 'a position, or latest (default: 0)')
    .option('--max-in-flight <n>', 'events that a consumer may have unacknowledged (default: 100)')
    .option('--ack-timeout-ms <ms>', 'after this an unacknowledged event comes again (default: 30000)')
    .option('--max-retries <n>', 'after so many an event is parked (default: 10)')
    .action(
      run(async (name: string, given: never) => (await load()).subscriptionCreate(name, given, terminal)),
    );

  named('remove')
    .description('remove one with its checkpoint')
    .action(
      run(async (name: string, given: never) => (await load()).subscriptionRemove(name, given, terminal)),
    );

  named('consume')
    .description('print events, and acknowledge each one once it is written, until Ctrl-C')
    .option('--count <n>', 'end after so many events')
    .action(
      run(async (name: string, given: never) => (await load()).subscriptionConsume(name, given, terminal)),
    );

  named('parked')
    .description('list the events that were given up')
    .option('--count <n>', 'at most so many')
    .action(
      run(async (name: string, given: never) => (await load()).subscriptionParked(name, given, terminal)),
    );

  named('replay')
    .description('deliver parked events again')
    .argument('[ids...]', 'the ids of events (default: all)')
    .action(
      run(async (name: string, ids: readonly string[], given: never) =>
        (await load()).subscriptionReplay(name, ids, given, terminal),
      ),
    );

  named('reset')
    .description('continue from another position')
    .requiredOption('--from <position>', 'a position, or latest')
    .action(
      run(async (name: string, given: never) => (await load()).subscriptionReset(name, given, terminal)),
    );
}
