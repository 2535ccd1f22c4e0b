import type { ChannelInfo } from '@esdb-gater/types';
import { type CommonOptions, connectGateway, outputOf, type Terminal } from '../context.ts';
import { EXIT } from '../exit.ts';
import { jsonLine } from '../output.ts';
import { paintOf } from '../paint.ts';
import { formatTable } from '../table.ts';
import { type WatchOptions, watching } from '../watch.ts';

export interface StateOptions extends CommonOptions, WatchOptions {}

/** `channels`: prints the channels with their rules and rates. */
export async function channels(options: StateOptions, terminal: Terminal): Promise<number | undefined> {
  await using client = await connectGateway(options, terminal);
  const output = outputOf(options, terminal);
  const paint = paintOf(options, terminal);
  return await watching(options, terminal, async () => {
    const { channels: all } = await client.channelInfo({}, { signal: terminal.interrupted });
    if (output.isForPeople) {
      for (const [index, line] of channelTable(all).entries()) {
        await output.line(index === 0 ? paint('head', line) : line);
      }
    } else for (const one of all) await output.line(jsonLine(one));
    return EXIT.ok;
  });
}

/** Formats channels as a table. */
export function channelTable(all: readonly ChannelInfo[]): string[] {
  const head = [
    'CHANNEL',
    'PRIORITY',
    'MAX/S',
    'SIGNED',
    'HISTORY',
    'SUBSCRIBERS',
    'IN/S',
    'OUT/S',
    'DROPPED',
  ];
  return formatTable(
    head,
    all.map((one) => [
      one.enabled ? one.name : `${one.name} (off)`,
      one.priority,
      one.maxRate === undefined ? '-' : String(one.maxRate),
      one.requireSignature ? 'yes' : 'no',
      String(one.history),
      String(one.subscribers),
      rate(one.publishedPerSecond),
      rate(one.deliveredPerSecond),
      String(one.dropped),
    ]),
  );
}

/** Formats a rate: small ones with a decimal. */
export function rate(perSecond: number): string {
  return perSecond === 0 || perSecond >= 100 ? String(Math.round(perSecond)) : perSecond.toFixed(1);
}
