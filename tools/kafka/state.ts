import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './broker-process.ts';

/** The state that `start` saves for `stop` and `status`. */
export interface ClusterState {
  readonly bootstrap: string;
  readonly brokers: readonly { readonly nodeId: number; readonly address: string; readonly pid: number }[];
}

export function readState(dir: string): ClusterState | undefined {
  const file = join(dir, 'state.json');
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, 'utf8')) as ClusterState;
}

export function writeState(dir: string, state: ClusterState): void {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'state.json'), `${JSON.stringify(state, undefined, 2)}\n`);
}

export function removeState(dir: string): void {
  rmSync(join(dir, 'state.json'), { force: true });
}

/** Returns the brokers of the state whose process is still running. */
export function liveBrokers(state: ClusterState | undefined): ClusterState['brokers'] {
  return state?.brokers.filter(({ pid }) => isAlive(pid)) ?? [];
}
