import { isAlive } from '../servers/processes.ts';
import { type StateFile, stateFile } from '../servers/state-file.ts';

/** The state that `start` saves for the other commands. */
export interface ClusterState {
  readonly url: string;
  readonly nodes: readonly { readonly name: string; readonly port: number; readonly pid: number }[];
}

export const clusterState: StateFile<ClusterState> = stateFile();

/** Returns the nodes of the state whose process is still running. */
export function liveNodes(state: ClusterState | undefined): ClusterState['nodes'] {
  return state?.nodes.filter(({ pid }) => isAlive(pid)) ?? [];
}
