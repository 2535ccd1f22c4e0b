import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What `projection-child.ts` does. */
export interface ChildTask {
  readonly engine: 'sqlite' | 'postgres';
  /** Names the projection and the schemas in PostgreSQL: `events_<name>`, `model_<name>`. */
  readonly name: string;
  /** Where the events are: a file, or a URL. */
  readonly events: string;
  /** Where the read model is: a file, or a URL. */
  readonly model: string;
  /** Events of a transaction. */
  readonly batchEvents: number;
  /** The generation that readers see in the end: a higher one than the live one is built next to it. */
  readonly generation: number;
  /** How many events were there before. */
  readonly appended: number;
  /** Further events are appended while it projects, until there are so many. */
  readonly appendTo: number;
}

/** When a process is killed: a random moment of up to `withinMs` after the first line for which `isTime` holds. */
export interface KillRule {
  /** `lines` counts from 1, the line `ready`. */
  readonly isTime: (line: string, lines: number) => boolean;
  readonly withinMs: number;
}

/**
 * Runs a process that projects, and kills it (-9) by a rule. Resolves with whether it was killed before its work was done.
 *
 * @throws when the process failed
 */
export function runChild(task: ChildTask, kill?: KillRule): Promise<boolean> {
  const child = spawn(
    process.execPath,
    [
      '--conditions=@esdb-gater/source',
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, '..', 'projection-child.ts'),
      JSON.stringify(task),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let lines = 0;
  let isDoomed = false;
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines += 1;
    if (kill === undefined || isDoomed || !kill.isTime(line, lines)) return;
    isDoomed = true;
    setTimeout(() => child.kill('SIGKILL'), Math.random() * kill.withinMs);
  });
  return new Promise<boolean>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (signal === 'SIGKILL') resolve(true);
      else if (code === 0) resolve(false);
      else reject(new Error(`the child ended with ${code ?? signal}`));
    });
  });
}
