import { describeValue, isRfc3339 } from '@esdb-gater/primitives';
import type { ChannelName, SubscribeFrom } from '@esdb-gater/types';
import { subscribeBounded } from '../bounded-subscription.ts';
import { type CommonOptions, connectGateway, integerArgument, outputOf, type Terminal } from '../context.ts';
import { UsageError } from '../exit.ts';
import { jsonLine } from '../output.ts';
import { messageLine } from '../table.ts';

export interface SubscribeOptions extends CommonOptions {
  readonly from?: string;
  readonly count?: string;
}

/** `subscribe CHANNEL TOPIC`: prints messages until SIGINT, a line for people at a terminal, else NDJSON, across restarts of the gateway. */
export async function subscribe(
  channel: string,
  topic: string,
  options: SubscribeOptions,
  terminal: Terminal,
): Promise<void> {
  const from = parseFrom(options.from ?? 'latest');
  let left =
    options.count === undefined ? Number.POSITIVE_INFINITY : integerArgument('--count', options.count, 1);
  await using client = await connectGateway(options, terminal);
  const output = outputOf(options, terminal);
  const params = { channel: channel as ChannelName, topic, from };
  const messages = await subscribeBounded(client, params, terminal.interrupted);
  terminal.stderr.write(`subscribed to ${channel} ${topic}\n`);
  try {
    for await (const message of messages) {
      const text = output.isForPeople ? messageLine(message, output.columns) : jsonLine(message);
      const written = output.line(text);
      await (terminal.stdout.writableNeedDrain ? messages.whileWriting(written) : written);
      left -= 1;
      if (left <= 0) break;
    }
  } catch (error) {
    // Ctrl-C is the usual end of this command.
    if (!terminal.interrupted.aborted) throw error;
  }
}

/** Parses `latest`, `earliest`, `position:P` or `time:T`. @throws UsageError */
export function parseFrom(text: string): SubscribeFrom {
  if (text === 'latest' || text === 'earliest') return text;
  if (text.startsWith('position:')) return { position: text.slice('position:'.length) };
  if (text.startsWith('time:')) {
    const time = text.slice('time:'.length);
    if (isRfc3339(time)) return { time };
    throw new UsageError(
      `--from time: must be an RFC 3339 time, such as 2026-01-31T12:00:00Z, got ${describeValue(time)}`,
    );
  }
  throw new UsageError(
    `--from must be latest, earliest, position:<position> or time:<RFC 3339 time>, got ${describeValue(text)}`,
  );
}
