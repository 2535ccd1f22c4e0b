import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Runs `file` in a separate process and resolves to the JSON of its last line of output. A contestant that fails or
 * prints no result fails the bench: the speed of a wrong result has no meaning.
 */
export function runChild(
  file: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Record<string, number>> {
  return new Promise((resolve, reject) => {
    // kafkajs by its public clients, a peer, sets timers with negative delays.
    const quiet = ['ExperimentalWarning', 'TimeoutNegativeWarning'].map(
      (name) => `--disable-warning=${name}`,
    );
    const child = spawn(process.execPath, [...quiet, file, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...environment },
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code !== 0) return reject(new Error(`${file} ${args.join(' ')} ended with ${code}`));
      resolve(JSON.parse(output.trim().split('\n').at(-1) ?? '') as Record<string, number>);
    });
  });
}

const TICKS_PER_SECOND = 100;

/** Ticks that all cores of the machine have been busy, and all ticks there were (proc_stat(5)). */
export function machineTicks(): { readonly busy: number; readonly all: number } {
  const [first = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  // user, nice, system, idle, iowait, irq, softirq, steal; the time of guests is part of the first two.
  const ticks = first.trim().split(/\s+/).slice(1, 9).map(Number);
  const all = ticks.reduce((sum, one) => sum + one, 0);
  return { busy: all - (ticks[3] ?? 0) - (ticks[4] ?? 0), all };
}

/** CPU seconds of a process and of each of its children, in the order of their start (proc_pid_task_tid_children). */
export function cpuSecondsOfEach(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return [pid, ...children.split(' ').filter(Boolean).map(Number)].map(cpuSeconds);
}

/** CPU seconds, user and system, that a process and its threads have used (proc_pid_stat(5), fields 14 and 15). */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
