import { readFileSync } from 'node:fs';
import { onAbort } from '@esdb-gater/primitives';
import { GaterError, invalidArgument } from '@esdb-gater/types';
import { CommanderError } from 'commander';
import { systemProblem } from '../config/read-text-file.ts';
import type { Terminal } from './context.ts';
import { errorLine } from './error-line.ts';
import { EXIT, UsageError } from './exit.ts';
import { LineError } from './lines.ts';
import { createProgram } from './program.ts';

/**
 * How long the end of an interrupted command, or of a gateway or worker, waits for a reader of standard output that does not read.
 * Any other command waits until everything is read: its output would be cut short.
 */
const FLUSH_MS = 1_000;

/** Runs the command line of this process and ends it with the right exit code. */
export async function main(args: readonly string[]): Promise<void> {
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // The second one does not wait for anything.
      if (interruption.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143);
      const cause = signal === 'SIGINT' ? 'Ctrl-C' : signal;
      interruption.abort(new GaterError('unavailable', `interrupted by ${cause}`));
    });
  }
  const isService = args[0] === 'start' || args[0] === 'worker';
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A gateway or a worker goes on without a reader of its log.
    if (isService) return;
    // `esdb-gater read … | head` closes the pipe, which ends a command without a failure.
    if (error.code === 'EPIPE') process.exit(0);
    const failure = new GaterError('unavailable', `cannot write standard output: ${systemProblem(error)}`);
    process.stderr.write(`${errorLine(failure, args.includes('--json'))}\n`);
    process.exit(EXIT.failed);
  });
  // There is nothing left to tell it with.
  process.stderr.on('error', () => undefined);
  process.exitCode = await runCommand(args, {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    interrupted: interruption.signal,
  });
  // Standard input and idle sockets would hold the process; what was written is flushed first, and an error of the last
  // write reaches its listener.
  const exitSoon = (): void => void setImmediate(() => process.exit());
  if (process.stdout.writableLength === 0) exitSoon();
  else process.stdout.write('', exitSoon);
  const limitFlush = (): void => void setTimeout(() => process.exit(), FLUSH_MS);
  if (isService) limitFlush();
  else onAbort(interruption.signal, limitFlush);
}

/** Runs one command. Resolves to the exit code: 0, 1 (failed) or 2 (wrong usage). */
export async function runCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  let exit: number = EXIT.ok;
  const program = await createProgram({
    version: packageVersion(),
    terminal,
    starts: args.includes('start') || args[0] === 'completion',
    configures: args[0] === 'config' || args[0] === 'completion',
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
    const { aborted, reason } = terminal.interrupted;
    // A call that the interruption ended fails with its reason, or with the end of the client.
    const isInterruption = aborted && (!GaterError.is(error) || error.code === 'unavailable');
    const failure = isInterruption ? GaterError.from(reason) : known(error);
    terminal.stderr.write(`${errorLine(failure, args.includes('--json'))}\n`);
    return EXIT.failed;
  }
}

function known(error: unknown): GaterError {
  if (GaterError.is(error)) return error;
  if (error instanceof LineError) return error.refusal;
  // The command line runs on the machine of its user, who may see what went wrong.
  return new GaterError('internal', error instanceof Error ? error.message : String(error), { cause: error });
}

function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
