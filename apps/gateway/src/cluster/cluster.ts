import type { KafkaBroker } from '@esdb-gater/broker-kafka';
import { type HealthReason, PEER_NOTIFICATIONS, type PeerIdentity } from '@esdb-gater/protocol';
import {
  type ClusterWorkers,
  createClusterWorkers,
  createMembership,
  type RemoteWorker,
} from '@esdb-gater/registry';
import {
  type Clock,
  type Discovery,
  GaterError,
  isStoreId,
  type Logger,
  type MemberInfo,
  type Membership,
  type PeerAddress,
  type Registry,
  type Subscriptions,
  type WorkerInfo,
} from '@esdb-gater/types';
import type { Revocations } from '../access/revocations.ts';
import type { GatewayConfig } from '../config/types.ts';
import type { StoreChange, SubscriptionHost } from '../stores/subscription-host.ts';
import type { AppendTraces } from '../telemetry/append-traces.ts';
import { createPeerAcceptor, type PeerAcceptor } from './accept-peer.ts';
import { createClusterSubscriptions } from './cluster-subscriptions.ts';
import { createCommitNotices } from './commit-notices.ts';
import { openDiscovery } from './open-discovery.ts';
import type { PeerHandlers, PeerLink } from './peer-link.ts';
import { createPeerNetwork } from './peer-network.ts';
import { createPeerProofs } from './peer-proof.ts';
import { createRemoteWorkers } from './remote-workers.ts';
import { createConsumerServer } from './serve-consumers.ts';
import { serveLocalWorker } from './serve-workers.ts';
import { createSharedRevocations } from './shared-revocations.ts';
import {
  type ConsumerEnded,
  type ConsumerEvent,
  type ConsumerReady,
  SUBSCRIPTION_METHOD,
  type SubscriptionCall,
} from './subscription-calls.ts';
import { createSubscriptionCopies } from './subscription-copies.ts';
import { subscriptionOwner } from './subscription-owner.ts';

export interface ClusterComponents {
  readonly registry: Registry;
  /** The persistent subscriptions of this node. */
  readonly host: SubscriptionHost;
  readonly revocations: Revocations;
  readonly kafka: KafkaBroker | undefined;
  /** Finds the other nodes. @default as the settings say */
  readonly discovery?: Discovery | undefined;
  /** Remembers the traces of calls to other nodes, for the feed. */
  readonly traces: Pick<AppendTraces, 'remember'>;
  /** Is called for each worker of another node, once it is registered here. */
  readonly onWorker: (worker: RemoteWorker) => void;
  /**
   * Is called with a worker that is refused, because the name of its store stands for other data. One of this node was
   * unregistered.
   */
  readonly onRefused: (worker: WorkerInfo, message: string) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface ClusterOptions {
  readonly nodeId: string;
  readonly incarnation: number;
}

/** This node's part of a cluster. */
export interface Cluster {
  readonly acceptor: PeerAcceptor;
  /** The persistent subscriptions of all nodes. */
  readonly subscriptions: Subscriptions;
  /** Finds the other nodes and is found by them, from now on at this URL. */
  begin(url: string): void;
  /** The live nodes, this one first; none before `begin`. */
  members(): readonly MemberInfo[];
  healthReasons(): readonly HealthReason[];
  /** Must be called after each commit of a store of this node. */
  committed(storeId: string, position: number): void;
  /** Must be called after each change of the subscriptions of a store that workers serve. */
  subscriptionChanged(change: StoreChange): void;
  /** Ends the persistent subscriptions of this node, and tells the others that it leaves. */
  leave(): Promise<void>;
  /** Resolves when no call of another node is in flight. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

const READS: ReadonlySet<string> = new Set(['readAll', 'queryEvents', 'getEvents']);

/** Creates this node's part of the cluster that the settings describe. */
export function createCluster(
  components: ClusterComponents,
  options: ClusterOptions,
  config: GatewayConfig,
): Cluster {
  const { registry, clock, logger, revocations, kafka, host, traces, onWorker, onRefused } = components;
  const { nodeId } = options;
  const { frameBytes, inFlightPerConnection: maxInFlight } = config.limits;
  const { failureTimeoutMs } = config.registry;
  let url = '';
  let membership: Membership | undefined;
  let discovery: Discovery | undefined;
  let clusterWorkers: ClusterWorkers | undefined;
  let inFlight = 0;
  let waiting: (() => void)[] = [];
  const closing = new AbortController();

  const self = (): PeerIdentity => ({
    nodeId,
    incarnation: membership?.self.incarnation ?? options.incarnation,
    url,
  });
  const members = (): readonly MemberInfo[] => membership?.members() ?? [];
  const secret = secretOf(config);
  const proofs = createPeerProofs(secret);
  const handlers: PeerHandlers = { handle, notified };
  const network = createPeerNetwork(
    {
      proofs,
      self,
      handlers,
      clock,
      logger,
      onDown: (address) => membership?.linkDown(address),
      onLink(link) {
        shared.linked(link);
        copyAll(link);
        void link.closed.then(() => {
          if (!closing.signal.aborted) remote.linkClosed(link.node.nodeId);
        });
      },
    },
    { nodeId, frameBytes, maxInFlight, failureTimeoutMs },
  );
  const shared = createSharedRevocations({ revocations, network, members });
  const commits = createCommitNotices(clock);
  const remote = createRemoteWorkers({ network, registry, traces, clock, onWorker });
  const ownerOf = (storeId: string) => subscriptionOwner({ registry, members }, nodeId, storeId);
  const candidates = (storeId: string): readonly Required<PeerAddress>[] => {
    const nodes = new Set(registry.workers(storeId).map((worker) => worker.nodeId));
    return members().filter((node) => !node.self && nodes.has(node.nodeId));
  };
  const copies = createSubscriptionCopies({ host, candidates, notify: network.notify.bind(network), logger });
  const consumers = createConsumerServer({
    subscriptions: host.subscriptions,
    serves: (storeId) => ownerOf(storeId) === undefined,
    release,
    clock,
  });
  const clustered = createClusterSubscriptions({
    local: host.subscriptions,
    ownerOf,
    takeOver,
    network,
  });

  /** Stores whose subscriptions this node serves: no other node does. */
  const taken = new Set<string>();

  async function release(storeId: string, link?: PeerLink): Promise<void> {
    taken.delete(storeId);
    await host.subscriptions.release(storeId);
    if (link !== undefined) await copies.sendAll(storeId, link);
  }

  /** Sends the state of what this node serves to a node that may serve it next. */
  function copyAll(link: PeerLink): void {
    for (const storeId of taken) {
      if (!candidates(storeId).some(({ nodeId: candidate }) => candidate === link.node.nodeId)) continue;
      copies
        .sendAll(storeId, link)
        .catch((error: unknown) => logger.warn({ err: error, storeId }, 'cannot copy subscriptions'));
    }
  }

  /** Lets every other node that has workers of the store end its subscriptions first, so that only one serves them. */
  async function takeOver(storeId: string): Promise<void> {
    if (taken.has(storeId)) return;
    // One that cannot be reached is gone, or it is on the other side of a partition.
    await Promise.allSettled(
      candidates(storeId).map((node) =>
        network.call(
          node,
          SUBSCRIPTION_METHOD,
          { operation: 'release', storeId },
          { timeoutMs: failureTimeoutMs },
        ),
      ),
    );
    await copies.settled();
    if (ownerOf(storeId) === undefined && registry.workers(storeId).length > 0) taken.add(storeId);
  }

  /** Ends the subscriptions of stores that another node serves now, and forgets stores that have left. */
  function recheckOwners(): void {
    for (const storeId of taken) {
      if (ownerOf(storeId) === undefined && registry.workers(storeId).length > 0) continue;
      release(storeId).catch((error: unknown) =>
        logger.warn({ err: error, storeId }, 'cannot end subscriptions'),
      );
    }
  }

  function handle(link: PeerLink, ...[method, params, context]: Parameters<PeerLink['handle']>): unknown {
    const serving =
      method === SUBSCRIPTION_METHOD
        ? consumers.handle(link, params as SubscriptionCall)
        : serveLocalWorker({ registry, nodeId }, method, params, context);
    const { storeId } = params as { readonly storeId?: unknown };
    if (READS.has(method) && isStoreId(storeId)) commits.read(link, storeId);
    inFlight += 1;
    serving.then(served, served);
    return serving;
  }

  function served(): void {
    inFlight -= 1;
    if (inFlight > 0) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  }

  function notified(link: PeerLink, method: string, params: unknown): boolean {
    switch (method) {
      case PEER_NOTIFICATIONS.alive:
        return true;
      case PEER_NOTIFICATIONS.membership:
        link.keep();
        membership?.receive(link.node.nodeId, params);
        return true;
      case PEER_NOTIFICATIONS.committed: {
        const { storeId, position } = params as { readonly storeId?: unknown; readonly position?: unknown };
        if (!isStoreId(storeId) || typeof position !== 'number') return false;
        remote.committed(link.node.nodeId, storeId, position);
        return true;
      }
      case PEER_NOTIFICATIONS.subscriptions:
        return copies.received(params);
      case PEER_NOTIFICATIONS.consumerEvent:
        clustered.event(link, params as ConsumerEvent);
        return true;
      case PEER_NOTIFICATIONS.consumerEnded:
        clustered.ended(link, params as ConsumerEnded);
        return true;
      case PEER_NOTIFICATIONS.consumerReady:
        consumers.ready(link, params as ConsumerReady);
        return true;
      default:
        return shared.notified(link, method, params);
    }
  }

  async function follow(watched: Membership): Promise<void> {
    const { signal } = closing;
    while (!signal.aborted) {
      for (const { nodeId: known } of watched.members()) remote.keep(known, watched.workersOf(known));
      try {
        for await (const event of watched.watch({ signal })) {
          const { nodeId: about } = event.kind === 'problems' ? { nodeId } : event.node;
          if (event.kind === 'down') remote.keep(about, []);
          else if (event.kind === 'workers') remote.keep(about, watched.workersOf(about));
        }
        return;
      } catch (error) {
        // Too many changes at once: only the current state counts.
        logger.debug({ err: error }, 'the membership is read anew');
      }
    }
  }

  async function followWorkers(): Promise<void> {
    const { signal } = closing;
    while (!signal.aborted) {
      recheckOwners();
      try {
        for await (const { kind, worker } of registry.watch({ signal })) {
          recheckOwners();
          if (kind !== 'registered' || worker.nodeId === nodeId || !taken.has(worker.storeId)) continue;
          const node = members().find((one) => one.nodeId === worker.nodeId);
          if (node !== undefined) await copies.sendAll(worker.storeId, node);
        }
        return;
      } catch {
        // As above.
      }
    }
  }

  return {
    acceptor: createPeerAcceptor(
      {
        proofs,
        self,
        handlers,
        onLink: (link) => network.accept(link),
        isOpen: () => membership !== undefined && !closing.signal.aborted,
        clock,
        logger,
      },
      { maxInFlight },
    ),
    subscriptions: clustered.subscriptions,
    begin(ownUrl) {
      url = ownUrl;
      discovery =
        components.discovery ??
        openDiscovery(config.cluster, secret, { nodeId, url }, { kafka, clock, logger });
      membership = createMembership(
        { discovery, links: network, clock, logger },
        { nodeId, incarnation: options.incarnation, url, failureTimeoutMs },
      );
      clusterWorkers = createClusterWorkers(
        { registry, membership, connect: remote.connect, onRefused, logger },
        { nodeId, ownStores: ownStoresOf(config) },
      );
      void follow(membership);
      void followWorkers();
    },
    members,
    healthReasons: () => [
      ...(membership?.problems() ?? []).map(({ code, nodeId: about, message }) => ({
        component: `node:${about}`,
        code,
        message,
      })),
      ...(clusterWorkers?.problems() ?? []).map(({ code, storeId, message }) => ({
        component: `store:${storeId}`,
        code,
        message,
      })),
    ],
    committed: commits.committed,
    subscriptionChanged: copies.changed,
    async leave() {
      // First the last checkpoints, for the nodes that go on from them.
      await clustered.subscriptions.close();
      membership?.leave();
    },
    idle: () => (inFlight === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    async close() {
      closing.abort(new GaterError('unavailable', 'the gateway is stopping'));
      clusterWorkers?.close();
      membership?.close();
      commits.close();
      network.close();
      await discovery?.close();
    },
  };
}

/** Returns the stores that this node serves by itself. */
function ownStoresOf({ stores }: GatewayConfig): ReadonlySet<string> {
  return new Set(Object.keys(stores).filter((storeId) => stores[storeId]?.engine !== 'remote'));
}

/** @throws `invalid_argument` when there is none, which the check of the settings has excluded */
function secretOf({ cluster: { secret } }: GatewayConfig): NonNullable<GatewayConfig['cluster']['secret']> {
  if (secret !== null) return secret;
  throw new GaterError('invalid_argument', '`cluster.secret` must be set in a cluster');
}
