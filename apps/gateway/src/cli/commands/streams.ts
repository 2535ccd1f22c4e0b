import type { RemoteGater } from '@esdb-gater/client';
import { LIMITS } from '@esdb-gater/types';
import { type CommonOptions, connectGateway, integerArgument, outputOf, type Terminal } from '../context.ts';
import { jsonLine, plain } from '../output.ts';
import { watching } from '../watch.ts';
import { parseExpectedVersion } from './append.ts';
import type { StateOptions } from './channels.ts';

/** `streams [PREFIX]`: prints the names of the streams of a store, in the order of their UTF-8 bytes. */
export async function streams(
  prefix: string | undefined,
  options: StateOptions,
  terminal: Terminal,
): Promise<number | undefined> {
  const { count } = options;
  const most = count === undefined ? Number.POSITIVE_INFINITY : integerArgument('--count', count, 1);
  await using client = await connectGateway(options, terminal);
  const output = outputOf(options, terminal);
  return await watching(options, terminal, async () => {
    let left = most;
    for await (const streamId of streamNames(client, options.store, terminal.interrupted, prefix)) {
      await output.line(output.isForPeople ? plain(streamId) : jsonLine({ streamId }));
      left -= 1;
      if (left <= 0) break;
    }
    return undefined;
  });
}

/** Iterates over the names of a store's streams, page by page. */
export async function* streamNames(
  client: RemoteGater,
  storeId: string,
  signal: AbortSignal,
  prefix?: string,
): AsyncGenerator<string> {
  let after: string | undefined;
  do {
    const page = await client.getStreams(
      {
        storeId,
        limit: LIMITS.pageCount,
        ...(prefix === undefined ? {} : { prefix }),
        ...(after === undefined ? {} : { after }),
      },
      { signal },
    );
    yield* page.streams;
    after = page.next;
  } while (after !== undefined);
}

export interface DeleteOptions extends CommonOptions {
  readonly expectedVersion?: string;
}

/** `delete STREAM`: deletes a stream. What is appended later begins it again with the next version. */
export async function deleteStream(
  streamId: string,
  options: DeleteOptions,
  terminal: Terminal,
): Promise<void> {
  const expectedVersion = parseExpectedVersion(options.expectedVersion ?? 'any');
  await using client = await connectGateway(options, terminal);
  const result = await client.deleteStream(
    { storeId: options.store, streamId, expectedVersion },
    { signal: terminal.interrupted },
  );
  const output = outputOf(options, terminal);
  const text = `deleted ${streamId}, whose last version was ${result.version}`;
  await output.line(output.isForPeople ? plain(text) : jsonLine(result));
}
