import { Readable, Writable } from 'node:stream';
import type { Terminal } from '../../src/cli/context.ts';
import { runCommand } from '../../src/cli/main.ts';
import type { CommandResult } from './gateway-process.ts';

/** Runs a command of the command line in this process, with a terminal that remembers. */
export async function runInProcess(
  args: readonly string[],
  options: {
    readonly stdin?: string;
    readonly env?: Readonly<Record<string, string>>;
    /** Both outputs are a terminal. */
    readonly isTTY?: boolean;
    readonly interrupted?: AbortSignal;
    /** Is called with all that was written to standard output, each time. */
    readonly onOutput?: (text: string) => void;
  } = {},
): Promise<CommandResult> {
  const isTTY = options.isTTY ?? false;
  const stdout = new Remembering(isTTY, options.onOutput);
  const stderr = new Remembering(isTTY);
  const terminal: Terminal = {
    stdin: Readable.from([Buffer.from(options.stdin ?? '')]),
    stdout,
    stderr,
    env: options.env ?? {},
    interrupted: options.interrupted ?? new AbortController().signal,
  };
  const code = await runCommand(args, terminal);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

class Remembering extends Writable {
  text = '';
  readonly columns = 120;
  readonly isTTY: boolean;
  readonly #onText: (text: string) => void;

  constructor(isTTY: boolean, onText: (text: string) => void = () => {}) {
    super();
    this.isTTY = isTTY;
    this.#onText = onText;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
    this.#onText(this.text);
  }
}
