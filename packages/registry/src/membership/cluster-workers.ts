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
} from '@esdb-gater/types';

export interface ClusterWorkersComponents {
  readonly registry: Registry;
  readonly membership: Membership;
  /**
   * Makes a worker of one that another node has announced, with the ids of the announcement and the `nodeId` of the node.
   * Must neither throw nor connect: a worker that is never called costs no link.
   */
  readonly connect: (node: MemberInfo, worker: AnnouncedWorker) => StoreWorker;
  /** @default silent */
  readonly logger?: Logger;
}

export interface ClusterWorkersOptions {
  /** This node. */
  readonly nodeId: string;
}

/** A worker of another node that was refused. */
export interface WorkerProblem {
  readonly code: 'store_mismatch';
  readonly storeId: string;
  readonly workerId: string;
  readonly nodeId: string;
  readonly message: string;
}

export interface ClusterWorkers {
  /** The workers of other nodes that do not serve the same data as the live ones here. */
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
  readonly #problems = new Map<string, WorkerProblem>();
  /** Workers under a name that another one with other data has, by node, store and worker. */
  #namesakes = new Map<string, WorkerProblem>();
  /** Nodes that shut down in order since the last comparison: their stores do not wait for them. */
  readonly #left = new Set<string>();
  #scheduled = false;

  constructor(components: ClusterWorkersComponents, { nodeId }: ClusterWorkersOptions) {
    this.#components = components;
    this.#logger = components.logger ?? silentLogger;
    this.#nodeId = nodeId;
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
    return [...this.#problems.values(), ...this.#namesakes.values()];
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
    const states = registry.states();
    const local = states.filter(({ nodeId }) => nodeId === this.#nodeId);
    membership.announce(local);
    const offers = this.#offers();
    this.#findNamesakes(new Map([...offers].map(([key, { worker }]) => [key, worker])), local);
    for (const worker of local) offers.delete(keyOf(worker));
    const nodeOf = new Map(states.map((state) => [keyOf(state), state.nodeId]));
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
    for (const key of this.#problems.keys()) if (!offers.has(key)) this.#problems.delete(key);
    for (const [key, offer] of offers) if (!this.#registered.has(key)) this.#register(key, offer);
  }

  /** Returns one offer for each worker: the one that is registered, else that of the least node id. */
  #offers(): Map<string, Offer> {
    const { membership } = this.#components;
    const offers = new Map<string, Offer>();
    const nodes = membership.members().filter(({ self }) => !self);
    for (const node of nodes.sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1))) {
      for (const worker of membership.workersOf(node.nodeId)) {
        const key = keyOf(worker);
        const offer = { node, worker };
        const present = this.#registered.get(key);
        if (!offers.has(key) || (present !== undefined && isSame(present, offer))) offers.set(key, offer);
      }
    }
    return offers;
  }

  /** Finds the workers that have the name of a local one, or of one that was offered before, and serve other data. */
  #findNamesakes(chosen: Map<string, AnnouncedWorker>, local: readonly AnnouncedWorker[]): void {
    const { membership } = this.#components;
    const before = this.#namesakes;
    this.#namesakes = new Map();
    for (const worker of local) chosen.set(keyOf(worker), worker);
    for (const { nodeId, self } of membership.members()) {
      for (const worker of self ? [] : membership.workersOf(nodeId)) {
        const { storeId, workerId, storeUuid } = worker;
        if (chosen.get(keyOf(worker))?.storeUuid === storeUuid) continue;
        const key = `${nodeId}\n${keyOf(worker)}`;
        const message = `worker ${workerId} of node ${nodeId} does not serve the same data as the live one of this name`;
        if (!before.has(key)) {
          this.#logger.warn(
            { storeId, workerId, node: nodeId },
            'refused a worker under the name of another one',
          );
        }
        this.#namesakes.set(key, { code: 'store_mismatch', storeId, workerId, nodeId, message });
      }
    }
  }

  #register(key: string, offer: Offer): void {
    const { registry, connect } = this.#components;
    const { node, worker } = offer;
    try {
      registry.register(connect(node, worker));
      this.#registered.set(key, offer);
      this.#problems.delete(key);
    } catch (error) {
      this.#refused(key, offer, GaterError.from(error));
    }
  }

  #refused(key: string, { node, worker }: Offer, { message }: GaterError): void {
    const { storeId, workerId } = worker;
    const { nodeId } = node;
    if (this.#problems.get(key)?.nodeId !== nodeId) {
      this.#logger.warn(
        { storeId, workerId, node: nodeId, cause: message },
        'refused a worker of another node',
      );
    }
    this.#problems.set(key, { code: 'store_mismatch', storeId, workerId, nodeId, message });
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
