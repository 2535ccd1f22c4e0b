import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const STOPS_WITHIN_MS = 10_000;

/** SIGTERM, and SIGKILL after 10 s. The process may have ended already. */
export async function stopProcess(pid: number, withinMs: number = STOPS_WITHIN_MS): Promise<void> {
  sendSignal(pid, 'SIGTERM');
  for (const deadline = Date.now() + withinMs; isAlive(pid); await sleep(25)) {
    if (Date.now() >= deadline) sendSignal(pid, 'SIGKILL');
  }
}

/** Kills a process, and waits until it has ended. */
export async function killProcess(pid: number): Promise<void> {
  sendSignal(pid, 'SIGKILL');
  while (isAlive(pid)) await sleep(5);
}

/** True for a process of that id that has not ended; one that only waits to be reaped has. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Sends a signal to a process that may have ended. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already.
  }
}
