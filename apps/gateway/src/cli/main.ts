import { readFileSync } from 'node:fs';
import { GaterError, invalidArgument } from '@esdb-gater/types';
import { CommanderError } from 'commander';
import type { Terminal } from './context.ts';
import { errorLine } from './error-line.ts';
import { EXIT, UsageError } from './exit.ts';
import { LineError } from './lines.ts';
import { createProgram } from './program.ts';

/** How long the end of the process waits for a reader of standard output that does not read. */
const FLUSH_MS = 1_000;

/** Runs the command line of this process and ends it with the right exit code. */
export async function main(args: readonly string[]): Promise<void> {
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // The second one does not wait for anybody.
      if (interruption.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143);
      interruption.abort();
    });
  }
  // `esdb-gater read … | head` closes the pipe, which ends a command without a failure. A gateway goes on without a reader.
  if (args[0] !== 'start') {
    process.stdout.on('error', (error: NodeJS.ErrnoException) =>
      process.exit(error.code === 'EPIPE' ? 0 : 1),
    );
  }
  process.exitCode = await runCommand(args, {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    interrupted: interruption.signal,
  });
  // Standard input and idle sockets would hold the process; what was written is flushed first.
  process.stdout.write('', () => process.exit());
  setTimeout(() => process.exit(), FLUSH_MS);
}

/** Runs one command. Resolves to the exit code: 0, 1 (failed) or 2 (wrong usage). */
export async function runCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  let exit: number = EXIT.ok;
  const program = await createProgram({
    version: packageVersion(),
    terminal,
    starts: args.includes('start'),
    done: (code) => {
      exit = code;
    },
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof UsageError) {
      terminal.stderr.write(
        `${errorLine(invalidArgument('usage', error.message), args.includes('--json'))}\n`,
      );
      return EXIT.usage;
    }
    if (terminal.interrupted.aborted && !GaterError.is(error)) return EXIT.failed;
    terminal.stderr.write(`${errorLine(known(error), args.includes('--json'))}\n`);
    return EXIT.failed;
  }
}

function known(error: unknown): GaterError {
  if (GaterError.is(error)) return error;
  if (error instanceof LineError) return invalidArgument('line', error.message, { line: error.number });
  // A command line runs on its user's machine: what went wrong is told, not hidden behind "internal".
  return new GaterError('internal', error instanceof Error ? error.message : String(error), { cause: error });
}

function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
