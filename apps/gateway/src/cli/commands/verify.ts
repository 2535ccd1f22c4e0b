import type { RemoteGater } from '@esdb-gater/client';
import { GaterError } from '@esdb-gater/types';
import { type CommonOptions, connectGateway, outputOf, type Terminal } from '../context.ts';
import { EXIT } from '../exit.ts';
import { jsonLine, type Output, plain } from '../output.ts';
import { createProgress } from '../progress.ts';
import { streamNames } from './streams.ts';

/** Streams that are checked at the same time. */
const CONCURRENT = 8;

interface Verified {
  readonly streamId: string;
  readonly verified: boolean;
  readonly brokenAt?: number;
}

/** `verify [STREAM]`: checks the hash chain of a stream, or of every stream of a store. Exit code 1 when one is broken. */
export async function verify(
  streamId: string | undefined,
  options: CommonOptions,
  terminal: Terminal,
): Promise<number> {
  await using client = await connectGateway(options, terminal);
  const output = outputOf(options, terminal);
  if (streamId !== undefined) {
    const found = await verifyOne(client, options.store, streamId, terminal.interrupted);
    await tell(output, found);
    return found.verified ? EXIT.ok : EXIT.failed;
  }
  // Awaited: the connection closes when this function returns.
  return await verifyStore(client, options.store, output, terminal);
}

async function verifyStore(
  client: RemoteGater,
  storeId: string,
  output: Output,
  terminal: Terminal,
): Promise<number> {
  const signal = terminal.interrupted;
  let total = 0;
  for await (const _ of streamNames(client, storeId, signal)) total += 1;
  const progress = createProgress(terminal.stderr, () => performance.now(), 'streams');
  let streams = 0;
  let broken = 0;
  const names = streamNames(client, storeId, signal);
  /** Takes names from the one list until there are no more. */
  const work = async (): Promise<void> => {
    for await (const name of names) {
      const found = await verifyOne(client, storeId, name, signal).catch(goneMeanwhile);
      if (found === undefined) continue;
      streams += 1;
      if (!found.verified) {
        broken += 1;
        progress.end();
        await tell(output, found);
      }
      progress.update(streams, total, streams);
    }
  };
  try {
    await Promise.all(Array.from({ length: CONCURRENT }, work));
  } finally {
    progress.end();
  }
  const summary = { streams, broken };
  const text = broken === 0 ? `verified ${streams} streams` : `${broken} of ${streams} streams are broken`;
  await output.line(output.isForPeople ? text : jsonLine(summary));
  return broken === 0 ? EXIT.ok : EXIT.failed;
}

async function verifyOne(
  client: RemoteGater,
  storeId: string,
  streamId: string,
  signal: AbortSignal,
): Promise<Verified> {
  return { streamId, ...(await client.verifyStream({ storeId, streamId }, { signal })) };
}

/** A stream that was deleted since it was listed has nothing to verify. */
function goneMeanwhile(error: unknown): undefined {
  if (GaterError.is(error, 'stream_deleted') || GaterError.is(error, 'stream_not_found')) return undefined;
  throw error;
}

async function tell(output: Output, found: Verified): Promise<void> {
  const { streamId, verified, brokenAt } = found;
  const text = verified ? `verified ${streamId}` : `${streamId} is broken at version ${String(brokenAt)}`;
  await output.line(output.isForPeople ? plain(text) : jsonLine(found));
}
