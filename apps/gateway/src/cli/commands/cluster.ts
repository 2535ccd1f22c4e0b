import type { NodeInfo, WorkerDetails } from '@esdb-gater/protocol';
import { type CommonOptions, connectGateway, outputOf, type Terminal } from '../context.ts';
import { readableTime, writeList } from '../table.ts';

/** `nodes`: lists the live nodes of a cluster, as the gateway sees them. */
export async function nodes(options: CommonOptions, terminal: Terminal): Promise<void> {
  await using client = await connectGateway(options, terminal);
  const { nodes: list } = await client.clusterInfo({}, { signal: terminal.interrupted });
  await writeList<NodeInfo>(outputOf(options, terminal), list, {
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
export async function workers(options: WorkersOptions, terminal: Terminal): Promise<void> {
  await using client = await connectGateway({ store: '', ...options }, terminal);
  const info = await client.clusterInfo({}, { signal: terminal.interrupted });
  const { store: only } = options;
  const circuits = new Map(info.stores.map((store) => [store.storeId, store]));
  const listed = only === undefined ? info.workers : info.workers.filter(({ storeId }) => storeId === only);
  const list = listed.map((worker) => ({
    ...worker,
    circuit: circuits.get(worker.storeId)?.circuit ?? 'open',
  }));
  await writeList<WorkerDetails & { readonly circuit: string }>(
    outputOf({ store: '', ...options }, terminal),
    list,
    {
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
    },
  );
}

export interface WorkersOptions extends Omit<CommonOptions, 'store'> {
  /** A store, instead of all. */
  readonly store?: string;
}
