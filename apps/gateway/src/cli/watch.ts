import { sleep } from '@esdb-gater/primitives';
import { systemClock } from '@esdb-gater/types';
import type { Command } from 'commander';
import type { Terminal } from './context.ts';
import { UsageError } from './exit.ts';

/** The options of commands that show a state again and again. */
export interface WatchOptions {
  readonly watch?: boolean;
  /** Seconds. */
  readonly interval?: string;
  readonly count?: string;
}

/** Adds the options of commands that show a state again and again. */
export function addWatchOptions(command: Command): Command {
  return command
    .option('--watch', 'show it again and again, until Ctrl-C')
    .option('--interval <seconds>', 'with --watch, between two states (default: 2)');
}

const DEFAULT_SECONDS = 2;
const MAX_SECONDS = 3_600;

/** Moves to the upper left corner and clears the rest. */
const CLEAR = '\u001b[H\u001b[J';

/** Returns the milliseconds of `--interval`. @throws UsageError */
export function intervalMs({ interval }: WatchOptions): number {
  if (interval === undefined) return DEFAULT_SECONDS * 1_000;
  const seconds = Number(interval);
  if (!/^\d+(\.\d+)?$/.test(interval) || seconds < 0.1 || seconds > MAX_SECONDS) {
    throw new UsageError(
      `--interval must be a number of seconds from 0.1 to ${MAX_SECONDS}, got "${interval}"`,
    );
  }
  return seconds * 1_000;
}

/**
 * Shows a state once, or with `--watch` until Ctrl-C. At a terminal each one takes the place of the one before.
 *
 * @param show writes the state, and returns the exit code (undefined: 0)
 */
export async function watching(
  options: WatchOptions & { readonly json?: boolean },
  terminal: Terminal,
  show: () => Promise<number | undefined>,
): Promise<number | undefined> {
  const everyMs = intervalMs(options);
  if (options.watch !== true) return show();
  const clears = terminal.stdout.isTTY === true && options.json !== true;
  const signal = terminal.interrupted;
  for (;;) {
    if (clears) terminal.stdout.write(CLEAR);
    const exit = await show();
    try {
      await sleep(everyMs, systemClock, signal);
    } catch {
      // Ctrl-C is how a person ends it.
      return exit;
    }
  }
}
