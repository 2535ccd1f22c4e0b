import type { ResultOf } from '@esdb-gater/protocol';
import { connectGateway, outputOf, type Terminal } from '../context.ts';
import { EXIT } from '../exit.ts';
import type { Output } from '../output.ts';
import { plain } from '../output.ts';
import { type Paint, paintOf, styleOf } from '../paint.ts';
import { watching } from '../watch.ts';
import type { StateOptions } from './channels.ts';

/** `health`: prints the state of a gateway. The exit code is 1 when it is unhealthy. */
export async function health(options: StateOptions, terminal: Terminal): Promise<number | undefined> {
  await using client = await connectGateway(options, terminal);
  const output = outputOf(options, terminal);
  return await watching(options, terminal, async () => {
    const state = await client.health({}, { signal: terminal.interrupted });
    if (options.json === true) await output.result(state, '');
    else await writeHealth(output, paintOf(options, terminal), state);
    return state.status === 'unhealthy' ? EXIT.failed : EXIT.ok;
  });
}

/** Writes the state of a gateway for people. */
async function writeHealth(output: Output, paint: Paint, state: ResultOf<'health'>): Promise<void> {
  for (const line of healthLines(paint, state)) await output.line(line);
}

/** Formats the state of a gateway: its own, then that of its stores and nodes. */
export function healthLines(paint: Paint, state: ResultOf<'health'>): string[] {
  const status = (text: string): string => paint(styleOf(text), plain(text));
  return [
    status(state.status),
    ...state.reasons.map(({ component, code, message }) => plain(`  ${component}: ${code}: ${message}`)),
    ...Object.entries(state.stores).map(([storeId, store]) => {
      const workers = store.workers.map(({ workerId, nodeId }) => `${workerId}@${nodeId}`).join(', ');
      return `${plain(`store ${storeId}`)}: ${status(store.status)}, ${plain(`workers: ${workers || 'none'}`)}`;
    }),
    ...state.nodes.map(
      (node) => `${plain(`node ${node.nodeId}`)}: ${status(node.status)}, ${plain(node.url)}`,
    ),
  ];
}
