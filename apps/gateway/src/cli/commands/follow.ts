import { type CommonOptions, connectGateway, integerArgument, outputOf, type Terminal } from '../context.ts';
import { writeEvents } from '../event-output.ts';
import { UsageError } from '../exit.ts';
import { type QueryOptions, queryArgument } from '../query-argument.ts';

export interface FollowCommandOptions extends CommonOptions, QueryOptions {
  readonly all?: boolean;
  readonly after?: string;
  readonly count?: string;
}

/** Events that may wait for a slow reader of the output. Each has at most 1 MiB. */
const BUFFER_EVENTS = 64;

/** `follow`: prints the events of a stream, a query or a store, and then each new one, across restarts of the gateway. */
export async function follow(
  streamId: string | undefined,
  options: FollowCommandOptions,
  terminal: Terminal,
): Promise<void> {
  const query = queryArgument(options);
  const chosen = [streamId, query, options.all === true ? true : undefined].filter(
    (choice) => choice !== undefined,
  );
  if (chosen.length !== 1)
    throw new UsageError('give one of STREAM, --query (or --type and --tag) and --all');
  const count =
    options.count === undefined ? Number.POSITIVE_INFINITY : integerArgument('--count', options.count, 1);
  const after = options.after === undefined ? 0 : integerArgument('--after', options.after, 0);
  await using client = await connectGateway(options, terminal);
  const events = client.follow(
    {
      storeId: options.store,
      after,
      ...(streamId === undefined ? {} : { streamId }),
      ...(query === undefined ? {} : { query }),
    },
    {
      signal: terminal.interrupted,
      bufferEvents: BUFFER_EVENTS,
      onCaughtUp(position) {
        if (terminal.stderr.isTTY === true) terminal.stderr.write(`caught up at position ${position}\n`);
      },
    },
  );
  try {
    await writeEvents(outputOf(options, terminal), events, count);
  } catch (error) {
    // Ctrl-C is the usual end of this command.
    if (!terminal.interrupted.aborted) throw error;
  }
}
