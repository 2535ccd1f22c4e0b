import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './server-process.ts';

/** The state that `start` saves for the other commands. */
export interface ClusterState {
  readonly url: string;
  readonly nodes: readonly { readonly name: string; readonly port: number; readonly pid: number }[];
}

export function readState(dir: string): ClusterState | undefined {
  const file = join(dir, 'state.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ClusterState) : undefined;
}

export function writeState(dir: string, state: ClusterState): void {
  writeFileSync(join(dir, 'state.json'), `${JSON.stringify(state, undefined, 2)}\n`);
}

export function removeState(dir: string): void {
  rmSync(join(dir, 'state.json'), { force: true });
}

/** Returns the nodes of the state whose process is still running. */
export function liveNodes(state: ClusterState | undefined): ClusterState['nodes'] {
  return state?.nodes.filter(({ pid }) => isAlive(pid)) ?? [];
}
