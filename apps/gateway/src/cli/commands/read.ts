import { LIMITS, type RecordedEvent } from '@esdb-gater/types';
import { type CommonOptions, connectGateway, integerArgument, outputOf, type Terminal } from '../context.ts';
import { writeEvents } from '../event-output.ts';
import { UsageError } from '../exit.ts';

export interface ReadOptions extends CommonOptions {
  readonly all?: boolean;
  readonly from?: string;
  readonly count?: string;
  readonly backward?: boolean;
}

/** `read STREAM` or `read --all`: prints recorded events page by page, a line for people at a terminal, else NDJSON. */
export async function read(
  streamId: string | undefined,
  options: ReadOptions,
  terminal: Terminal,
): Promise<void> {
  if ((streamId === undefined) === (options.all !== true))
    throw new UsageError('give either a STREAM or --all');
  if (options.all === true && options.backward === true) throw new UsageError('--all reads forward only');
  const from = options.from === undefined ? undefined : integerArgument('--from', options.from, 0);
  const count =
    options.count === undefined ? Number.POSITIVE_INFINITY : integerArgument('--count', options.count, 1);

  await using client = await connectGateway(options, terminal);
  const page = Math.min(count, LIMITS.pageCount);
  const call = { signal: terminal.interrupted };
  const events: AsyncIterable<RecordedEvent> =
    streamId === undefined
      ? client.allEvents(
          { storeId: options.store, limit: page, ...(from === undefined ? {} : { after: from }) },
          call,
        )
      : client.events(
          {
            storeId: options.store,
            streamId,
            count: page,
            direction: options.backward === true ? 'backward' : 'forward',
            ...(from === undefined ? {} : { startVersion: from }),
          },
          call,
        );
  await writeEvents(outputOf(options, terminal), events, count);
}
