import { sleep } from '@esdb-gater/primitives';
import type { ResultOf } from '@esdb-gater/protocol';
import { systemClock } from '@esdb-gater/types';
import { connectGateway, integerArgument, outputOf, type Terminal } from '../context.ts';
import { EXIT } from '../exit.ts';
import { jsonLine, plain } from '../output.ts';
import { type Paint, paintOf } from '../paint.ts';
import { shorten } from '../table.ts';
import { intervalMs } from '../watch.ts';
import { channelTable, rate, type StateOptions } from './channels.ts';
import { healthLines } from './health.ts';

/** The alternate screen without a cursor, so that the lines before are back at the end. */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_REST = '\u001b[J';

interface Snapshot {
  readonly time: string;
  readonly health: ResultOf<'health'>;
  readonly channels: ResultOf<'channelInfo'>['channels'];
}

/** `top`: shows the state of a gateway live, until Ctrl-C. Elsewhere than at a terminal it prints a line for each state. */
export async function top(options: StateOptions, terminal: Terminal): Promise<number> {
  const everyMs = intervalMs(options);
  let left =
    options.count === undefined ? Number.POSITIVE_INFINITY : integerArgument('--count', options.count, 1);
  await using client = await connectGateway(options, terminal);
  const output = outputOf(options, terminal);
  const paint = paintOf(options, terminal);
  const signal = terminal.interrupted;
  if (output.isForPeople) terminal.stdout.write(ENTER);
  try {
    for (;;) {
      const [health, { channels }] = await Promise.all([
        client.health({}, { signal }),
        client.channelInfo({}, { signal }),
      ]);
      const snapshot: Snapshot = { time: new Date(systemClock.now()).toISOString(), health, channels };
      if (output.isForPeople) terminal.stdout.write(screen(snapshot, paint, terminal));
      else await output.line(options.json === true ? jsonLine(snapshot) : summary(snapshot));
      left -= 1;
      if (left <= 0) return EXIT.ok;
      await sleep(everyMs, systemClock, signal);
    }
  } catch (error) {
    // Ctrl-C is how a person ends it.
    if (signal.aborted) return EXIT.ok;
    throw error;
  } finally {
    if (output.isForPeople) terminal.stdout.write(LEAVE);
  }
}

function totals({ channels }: Snapshot): {
  readonly in: number;
  readonly out: number;
  readonly dropped: number;
} {
  const sum = (of: (one: Snapshot['channels'][number]) => number): number =>
    channels.reduce((total, one) => total + of(one), 0);
  return {
    in: sum((one) => one.publishedPerSecond),
    out: sum((one) => one.deliveredPerSecond),
    dropped: sum((one) => one.dropped),
  };
}

/** Formats a state as one line. */
function summary(snapshot: Snapshot): string {
  const { in: published, out, dropped } = totals(snapshot);
  const { status, stores, nodes } = snapshot.health;
  const workers = Object.values(stores).reduce((sum, store) => sum + store.workers.length, 0);
  return plain(
    `${snapshot.time} ${status} stores=${Object.keys(stores).length} workers=${workers} nodes=${nodes.length} in=${rate(published)}/s out=${rate(out)}/s dropped=${dropped}`,
  );
}

/** Formats a state as a screen, cut to the size of the terminal. */
function screen(snapshot: Snapshot, paint: Paint, { stdout }: Terminal): string {
  const { columns = 80, rows = 24 } = stdout as { readonly columns?: number; readonly rows?: number };
  const { in: published, out, dropped } = totals(snapshot);
  const [head = '', ...channels] = channelTable(snapshot.channels).map((line) => shorten(line, columns));
  const title = `esdb-gater top  ${snapshot.time}  in ${rate(published)}/s  out ${rate(out)}/s  dropped ${dropped}  (Ctrl-C ends)`;
  const lines = [
    paint('head', shorten(title, columns)),
    '',
    ...healthLines(paint, snapshot.health),
    '',
    paint('head', head),
    ...channels,
  ];
  return (
    HOME +
    lines
      .slice(0, Math.max(rows - 1, 1))
      .map((line) => `${line}${CLEAR_LINE}\n`)
      .join('') +
    CLEAR_REST
  );
}
