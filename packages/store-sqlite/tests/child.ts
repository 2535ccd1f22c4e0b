import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** What a child says about an append. */
export interface Acknowledgement {
  readonly streamId: string;
  readonly version: number;
  readonly position: number;
  readonly ids: readonly string[];
}

export interface AppendChild {
  readonly process: ChildProcess;
  /** Resolves when the child has ended and everything it said was read. */
  readonly ended: Promise<void>;
}

const SCRIPT = fileURLToPath(new URL('./append-child.ts', import.meta.url));

/** The command that runs `append-child.ts`. */
export function appendCommand(...args: readonly string[]): string[] {
  return [
    process.execPath,
    '--conditions=@esdb-gater/source',
    '--disable-warning=ExperimentalWarning',
    SCRIPT,
    ...args,
  ];
}

/** Starts a command whose lines are acknowledgements. */
export function startChild(
  command: readonly string[],
  onAcknowledgement: (acknowledgement: Acknowledgement) => void,
): AppendChild {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    // A line that the kill cut in two was not said.
    if (!line.endsWith('}')) return;
    const said = JSON.parse(line) as Acknowledgement & { readonly ready?: boolean };
    if (said.ready !== true) onAcknowledgement(said);
  });
  const ended = Promise.all([
    new Promise((resolve) => child.once('exit', resolve)),
    new Promise((resolve) => lines.once('close', resolve)),
  ]).then(() => {});
  return { process: child, ended };
}
