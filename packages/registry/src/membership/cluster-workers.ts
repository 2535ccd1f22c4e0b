import { onNextTurn } from '@esdb-gater/primitives';
import {
  type AnnouncedWorker,
  GaterError,
  type Logger,
  type MemberInfo,
  type Membership,
  type Registry,
  type StoreWorker,
  silentLogger,
  type WorkerInfo,
} from '@esdb-gater/types';
import { chooseData, dataOf } from './store-data.ts';

export interface ClusterWorkersComponents {
  readonly registry: Registry;
  readonly membership: Membership;
  /**
   * Makes a worker of one that another node has announced, with the ids of the announcement and the `nodeId` of the node.
   * Must neither throw nor connect: a worker that is never called costs no link.
   */
  readonly connect: (node: MemberInfo, worker: AnnouncedWorker) => StoreWorker;
  /**
   * Is called with a worker that does not serve the data that the name of its store stands for. One of this node was
   * unregistered; one of another node is not registered here.
   */
  readonly onRefused?: (worker: WorkerInfo, message: string) => void;
  /** @default silent */
  readonly logger?: Logger;
}

export interface ClusterWorkersOptions {
  /** This node. */
  readonly nodeId: string;
  /**
   * The stores that this node serves by itself. One that is refused because another node serves other data under its name
   * is not served here any more: not its own data, which the others do not see, and not theirs. @default none
   */
  readonly ownStores?: ReadonlySet<string>;
}

/** A worker that was refused. */
export interface WorkerProblem {
  readonly code: 'store_mismatch';
  readonly storeId: string;
  readonly workerId: string;
  readonly nodeId: string;
  readonly message: string;
}

export interface ClusterWorkers {
  /** The workers that do not serve the data that the name of their store stands for. */
  problems(): readonly WorkerProblem[];
  /** Stops. The workers of other nodes are unregistered. */
  close(): void;
}

/** A worker of another node as it was announced. */
interface Offer {
  readonly node: MemberInfo;
  readonly worker: AnnouncedWorker;
}

/**
 * Joins the registries of all nodes: announces the local workers, and registers those of the other nodes. A worker that
 * registered with several nodes is one entry; the local one counts. When a node goes, so do its workers.
 *
 * All workers of a store serve the same data, on all nodes. The registry refuses another one while it knows a live one; of
 * those that registered before their nodes knew of each other, `chooseData` decides which stay.
 */
export function createClusterWorkers(
  components: ClusterWorkersComponents,
  options: ClusterWorkersOptions,
): ClusterWorkers {
  return new SharedWorkers(components, options);
}

class SharedWorkers implements ClusterWorkers {
  readonly #components: ClusterWorkersComponents;
  readonly #logger: Logger;
  readonly #nodeId: string;
  readonly #closing = new AbortController();
  /** What is registered here for other nodes, by store and worker. */
  readonly #registered = new Map<string, Offer>();
  readonly #ownStores: ReadonlySet<string>;
  /** The stores of this node that are not served any more, with the data that they have. */
  readonly #given = new Map<string, { readonly data: string; readonly problem: WorkerProblem }>();
  /** By node, store and worker. */
  #problems = new Map<string, WorkerProblem>();
  /** Nodes that shut down in order since the last comparison: their stores do not wait for them. */
  readonly #left = new Set<string>();
  #scheduled = false;

  constructor(components: ClusterWorkersComponents, { nodeId, ownStores }: ClusterWorkersOptions) {
    this.#components = components;
    this.#logger = components.logger ?? silentLogger;
    this.#nodeId = nodeId;
    this.#ownStores = ownStores ?? new Set();
    const { membership, registry } = components;
    void this.#follow(
      (signal) => membership.watch({ signal }),
      (event) => {
        if (event.kind === 'down' && event.reason === 'left') this.#left.add(event.node.nodeId);
      },
    );
    void this.#follow(
      (signal) => registry.watch({ signal }),
      () => {},
    );
    this.#compare();
  }

  problems(): readonly WorkerProblem[] {
    return [...[...this.#given.values()].map(({ problem }) => problem), ...this.#problems.values()];
  }

  close(): void {
    this.#closing.abort();
    for (const [key, offer] of this.#registered) this.#remove(key, offer, false);
  }

  /** Compares after each turn that brought events. A reader that fell behind watches anew: the comparison is of all. */
  async #follow<Event>(
    watch: (signal: AbortSignal) => AsyncIterable<Event>,
    note: (event: Event) => void,
  ): Promise<void> {
    const { signal } = this.#closing;
    for (;;) {
      try {
        for await (const event of watch(signal)) {
          note(event);
          this.#schedule();
        }
        return;
      } catch (error) {
        if (GaterError.from(error).code !== 'overloaded') throw error;
        this.#schedule();
      }
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    onNextTurn(() => {
      this.#scheduled = false;
      if (!this.#closing.signal.aborted) this.#compare();
    });
  }

  #compare(): void {
    const { registry, membership } = this.#components;
    const announced = this.#announced();
    const before = registry.states().filter(({ nodeId }) => nodeId === this.#nodeId);
    const chosen = chooseData([...before, ...announced.map(({ worker }) => worker)]);
    const local = before.filter((worker) => {
      const fits = chosen.get(worker.storeId) === dataOf(worker);
      if (fits) this.#given.delete(worker.storeId);
      else this.#giveUp(worker);
      return fits;
    });
    membership.announce(local);
    const offers = this.#offers(this.#fitting(announced, chosen));
    for (const worker of local) offers.delete(keyOf(worker));
    const nodeOf = new Map(registry.workers().map((info) => [keyOf(info), info.nodeId]));
    for (const [key, offer] of this.#registered) {
      const { nodeId } = offer.node;
      if (nodeOf.get(key) !== nodeId) {
        // The registry has preferred a local worker to it.
        this.#registered.delete(key);
        continue;
      }
      const stays = offers.get(key);
      if (stays !== undefined && isSame(stays, offer)) continue;
      const isMember = membership.members().some((member) => member.nodeId === nodeId);
      this.#remove(key, offer, isMember || this.#left.has(nodeId));
    }
    this.#left.clear();
    for (const [key, offer] of offers) if (!this.#registered.has(key)) this.#register(key, offer);
  }

  /** Returns what the other nodes have announced, in the order of their ids. */
  #announced(): Offer[] {
    const { membership } = this.#components;
    const nodes = membership.members().filter(({ self }) => !self);
    return nodes
      .sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1))
      .flatMap((node) => membership.workersOf(node.nodeId).map((worker) => ({ node, worker })));
  }

  /** Returns the workers that may be registered here, and notes the others as problems. */
  #fitting(announced: readonly Offer[], chosen: ReadonlyMap<string, string>): Offer[] {
    const before = this.#problems;
    this.#problems = new Map();
    return announced.filter(({ node: { nodeId }, worker }) => {
      const data = dataOf(worker);
      const { storeId, workerId } = worker;
      if (chosen.get(storeId) === data) return (this.#given.get(storeId)?.data ?? data) === data;
      const key = `${nodeId}\n${keyOf(worker)}`;
      const known = before.get(key);
      this.#problems.set(key, known ?? mismatch({ storeId, workerId, nodeId }));
      if (known === undefined) this.#refused({ ...worker, nodeId });
      return false;
    });
  }

  /** Returns one offer for each worker: the one that is registered, else that of the least node id. */
  #offers(fitting: readonly Offer[]): Map<string, Offer> {
    const offers = new Map<string, Offer>();
    for (const offer of fitting) {
      const key = keyOf(offer.worker);
      const present = this.#registered.get(key);
      if (!offers.has(key) || (present !== undefined && isSame(present, offer))) offers.set(key, offer);
    }
    return offers;
  }

  #register(key: string, { node, worker }: Offer): void {
    const { registry, connect } = this.#components;
    try {
      registry.register(connect(node, worker));
      this.#registered.set(key, { node, worker });
    } catch (error) {
      // Local workers may have changed since they were compared: then they are compared again.
      const { storeId, workerId } = worker;
      this.#logger.warn({ err: error, storeId, workerId, node: node.nodeId }, 'cannot register a worker');
    }
  }

  /** Unregisters a worker of this node, since the name of its store stands for other data. */
  #giveUp(worker: WorkerInfo): void {
    const { storeId, workerId, incarnation } = worker;
    this.#components.registry.unregister(storeId, workerId, incarnation, false);
    if (this.#ownStores.has(storeId)) {
      this.#given.set(storeId, { data: dataOf(worker), problem: mismatch(worker) });
    }
    this.#refused(worker);
  }

  #refused(worker: WorkerInfo): void {
    const { storeId, workerId, nodeId } = worker;
    const { message } = mismatch(worker);
    this.#logger.warn({ storeId, workerId, node: nodeId }, message);
    this.#components.onRefused?.(worker, message);
  }

  #remove(key: string, { worker }: Offer, orderly: boolean): void {
    const { storeId, workerId, incarnation } = worker;
    this.#registered.delete(key);
    this.#components.registry.unregister(storeId, workerId, incarnation, orderly);
  }
}

function keyOf({ storeId, workerId }: Pick<AnnouncedWorker, 'storeId' | 'workerId'>): string {
  return `${storeId}\n${workerId}`;
}

function mismatch({
  storeId,
  workerId,
  nodeId,
}: Pick<WorkerInfo, 'storeId' | 'workerId' | 'nodeId'>): WorkerProblem {
  const message = `refused worker ${workerId} of node ${nodeId}: it does not serve the same data as the live workers of store ${storeId}, which registered first`;
  return { code: 'store_mismatch', storeId, workerId, nodeId, message };
}

function isSame(a: Offer, b: Offer): boolean {
  return (
    a.node.nodeId === b.node.nodeId &&
    a.node.incarnation === b.node.incarnation &&
    a.node.url === b.node.url &&
    a.worker.incarnation === b.worker.incarnation &&
    a.worker.storeUuid === b.worker.storeUuid &&
    a.worker.keepsSubscriptions === b.worker.keepsSubscriptions &&
    a.worker.methods.join() === b.worker.methods.join()
  );
}
