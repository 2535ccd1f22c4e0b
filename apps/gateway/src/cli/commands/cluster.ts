import type { NodeInfo, WorkerDetails } from '@esdb-gater/protocol';
import { type CommonOptions, connectGateway, outputOf, type Terminal } from '../context.ts';
import type { Output } from '../output.ts';
import { readableTime, writeList } from '../table.ts';
import { type WatchOptions, watching } from '../watch.ts';
import type { StateOptions } from './channels.ts';

/** `nodes`: lists the live nodes of a cluster, as the gateway sees them. */
export async function nodes(options: StateOptions, terminal: Terminal): Promise<number | undefined> {
  await using client = await connectGateway(options, terminal);
  const output = outputOf(options, terminal);
  return await watching(options, terminal, async () => {
    const { nodes: list } = await client.clusterInfo({}, { signal: terminal.interrupted });
    await writeNodes(output, list);
    return undefined;
  });
}

function writeNodes(output: Output, list: readonly NodeInfo[]): Promise<void> {
  return writeList(output, list, {
    head: ['NODE', 'STATUS', 'WORKERS', 'STARTED', 'CLOCK', 'URL'],
    row: (node) => [
      node.self ? `${node.nodeId} (this)` : node.nodeId,
      node.status,
      String(node.workers),
      // An incarnation begins as the time of the start.
      node.incarnation === 0 ? '' : readableTime(new Date(node.incarnation).toISOString()),
      node.clockOffsetMs === undefined ? '' : `${Math.round(node.clockOffsetMs)} ms`,
      node.url,
    ],
    none: 'no nodes',
  });
}

/** `workers`: lists the workers that the gateway knows, with their state. */
export async function workers(options: WorkersOptions, terminal: Terminal): Promise<number | undefined> {
  const common: CommonOptions = { store: '', ...options };
  await using client = await connectGateway(common, terminal);
  const output = outputOf(common, terminal);
  return await watching(options, terminal, async () => {
    const info = await client.clusterInfo({}, { signal: terminal.interrupted });
    const { store: only } = options;
    const circuits = new Map(info.stores.map((store) => [store.storeId, store]));
    const listed = only === undefined ? info.workers : info.workers.filter(({ storeId }) => storeId === only);
    await writeWorkers(
      output,
      listed.map((worker) => ({ ...worker, circuit: circuits.get(worker.storeId)?.circuit ?? 'open' })),
    );
    return undefined;
  });
}

function writeWorkers(
  output: Output,
  list: readonly (WorkerDetails & { readonly circuit: string })[],
): Promise<void> {
  return writeList(output, list, {
    head: ['STORE', 'WORKER', 'NODE', 'STATUS', 'FAILURES', 'CIRCUIT', 'INCARNATION', 'REGISTERED'],
    row: (worker) => [
      worker.storeId,
      worker.workerId,
      worker.nodeId,
      worker.ejectedForMs === undefined ? worker.status : `${worker.status} for ${worker.ejectedForMs} ms`,
      String(worker.failures),
      worker.circuit,
      String(worker.incarnation),
      readableTime(worker.registeredAt),
    ],
    none: 'no workers',
  });
}

export interface WorkersOptions extends Omit<CommonOptions, 'store'>, WatchOptions {
  /** A store, instead of all. */
  readonly store?: string;
}
