import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** When a process is killed: a random moment of up to `withinMs` after the first line for which `isTime` holds. */
export interface KillRule {
  /** `lines` counts from 1, the line `ready`. */
  readonly isTime: (line: string, lines: number) => boolean;
  readonly withinMs: number;
}

/**
 * Runs a program of `tests` with one argument, and kills it (-9) by a rule. Resolves with whether it was killed before its work was done.
 *
 * @throws when the process failed
 */
export function runChild(program: string, argument: string, kill?: KillRule): Promise<boolean> {
  const child = spawn(
    process.execPath,
    [
      '--conditions=@esdb-gater/source',
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, '..', program),
      argument,
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
