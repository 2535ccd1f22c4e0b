import { Readable, Writable } from 'node:stream';
import type { Terminal } from '../../src/cli/context.ts';
import { runCommand } from '../../src/cli/main.ts';
import type { CommandResult } from './gateway-process.ts';

/** Runs a command of the command line in this process, with a terminal that remembers. */
export async function runInProcess(
  args: readonly string[],
  options: { readonly stdin?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<CommandResult> {
  const [stdout, stderr] = [new Remembering(), new Remembering()];
  const terminal: Terminal = {
    stdin: Readable.from([Buffer.from(options.stdin ?? '')]),
    stdout,
    stderr,
    env: options.env ?? {},
    interrupted: new AbortController().signal,
  };
  const code = await runCommand(args, terminal);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

class Remembering extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
