import type { ChannelName, SubscribeFrom } from '@esdb-gater/types';
import { type CommonOptions, connectGateway, integerArgument, outputOf, type Terminal } from '../context.ts';
import { UsageError } from '../exit.ts';
import { jsonLine } from '../output.ts';

export interface SubscribeOptions extends CommonOptions {
  readonly from?: string;
  readonly count?: string;
}

/** `subscribe CHANNEL TOPIC`: NDJSON of messages until SIGINT, through any restart of the gateway. */
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
  await using subscription = await client.subscribe(
    { channel: channel as ChannelName, topic, from },
    { signal: terminal.interrupted },
  );
  terminal.stderr.write(`subscribed to ${channel} ${topic}\n`);
  try {
    for await (const message of subscription) {
      await output.line(jsonLine(message));
      left -= 1;
      if (left <= 0) break;
    }
  } catch (error) {
    // Ctrl-C is how this command ends.
    if (!terminal.interrupted.aborted) throw error;
  }
}

/** `latest`, `earliest`, `position:P` or `time:T`. @throws UsageError */
export function parseFrom(text: string): SubscribeFrom {
  if (text === 'latest' || text === 'earliest') return text;
  if (text.startsWith('position:')) return { position: text.slice('position:'.length) };
  if (text.startsWith('time:')) return { time: text.slice('time:'.length) };
  throw new UsageError(
    `--from: "${text}" is none of: latest, earliest, position:<position>, time:<RFC 3339 time>`,
  );
}
