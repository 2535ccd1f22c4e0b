import { isAlive } from '../servers/processes.ts';
import { type StateFile, stateFile } from '../servers/state-file.ts';

/** The state that `start` saves for `stop` and `status`. */
export interface ClusterState {
  readonly bootstrap: string;
  readonly brokers: readonly { readonly nodeId: number; readonly address: string; readonly pid: number }[];
}

export const clusterState: StateFile<ClusterState> = stateFile();

/** Returns the brokers of the state whose process is still running. */
export function liveBrokers(state: ClusterState | undefined): ClusterState['brokers'] {
  return state?.brokers.filter(({ pid }) => isAlive(pid)) ?? [];
}
