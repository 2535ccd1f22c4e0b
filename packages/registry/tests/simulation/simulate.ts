import { test } from 'vitest';
import { type ClusterOptions, SimulatedCluster } from './cluster.ts';

/** True in `npm run faults`. */
export const FULL: boolean = process.env['ESDB_GATER_FAULTS'] === '1';

/** How many nodes the simulated clusters have. */
export const NODES: number = FULL ? 1_000 : 100;

/** A seed of one's own repeats a run. */
const SEEDS: readonly number[] = seedsOf(process.env['SIMULATION_SEED']);

function seedsOf(given: string | undefined): readonly number[] {
  if (given !== undefined) return [Number(given)];
  // The full run also tries what nobody has tried before.
  return FULL ? [Math.floor(Math.random() * 0x1_0000_0000)] : [1];
}

/** Runs a test once for each seed, in a cluster of its own. A failure names the seed. */
export function simulate(
  title: string,
  options: Omit<ClusterOptions, 'seed'>,
  body: (cluster: SimulatedCluster) => Promise<void>,
): void {
  test(title, { timeout: FULL ? 1_200_000 : 60_000 }, async () => {
    for (const seed of SEEDS) {
      const cluster = new SimulatedCluster({ ...options, seed });
      try {
        await body(cluster);
      } catch (error) {
        throw new Error(`failed with SIMULATION_SEED=${seed} at ${Math.round(cluster.nowMs)} ms`, {
          cause: error,
        });
      } finally {
        cluster.close();
      }
    }
  });
}
