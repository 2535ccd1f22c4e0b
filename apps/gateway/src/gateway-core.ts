import type { KafkaBroker } from '@esdb-gater/broker-kafka';
import { createChannels } from '@esdb-gater/channels';
import { createStoreWorker } from '@esdb-gater/event-store';
import { finishesWithin } from '@esdb-gater/primitives';
import { createRegistry, createStoreCaller } from '@esdb-gater/registry';
import { attachDefaultHandler, DEFAULT_HANDLER_ID, detach, setLogger } from '@esdb-gater/telemetry';
import {
  type Broker,
  type Channels,
  type Clock,
  type EventStore,
  GaterError,
  type Logger,
  type Registry,
  type Subscriptions,
} from '@esdb-gater/types';
import { type Authorizer, createAuthorizer } from './access/authorizer.ts';
import { type GatewaySecurity, openGatewaySecurity } from './access/gateway-security.ts';
import { createDispatcher, type Dispatcher } from './calls/dispatcher.ts';
import { createHandlers } from './calls/handlers.ts';
import { createHealthMonitor, type HealthMonitor } from './calls/health.ts';
import { createWorkerHost, type WorkerHost } from './calls/worker-host.ts';
import { type Cluster, createCluster } from './cluster/cluster.ts';
import { nextIncarnation } from './cluster/incarnation.ts';
import type { GatewayConfig } from './config/types.ts';
import { createFeedCoordination } from './kafka/feed-coordination.ts';
import { openBroker } from './kafka/open-broker.ts';
import type { Cleanup } from './node/cleanup.ts';
import { nodeIdOf, openDataDir } from './node/data-dir.ts';
import { telemetryLogger } from './node/log.ts';
import { holdsStores, type Siblings } from './processes/siblings.ts';
import { openEpochFile } from './stores/epoch-file.ts';
import { openFeedHost } from './stores/feed-host.ts';
import { createFollowHost, type FollowHost } from './stores/follow-host.ts';
import { isConnected, whenConnected } from './stores/open-store.ts';
import { type OpenedStores, openStores } from './stores/open-stores.ts';
import { openSubscriptionHost } from './stores/subscription-host.ts';
import { createAppendTraces } from './telemetry/append-traces.ts';
import { createEventLoopMonitor, type EventLoopMonitor } from './telemetry/event-loop.ts';

/** How long a start waits for the revocations from Kafka. */
const READY_WITHIN_MS = 3_000;

/** All parts of a gateway except its port. */
export interface GatewayCore {
  readonly nodeId: string;
  readonly registry: Registry;
  readonly stores: OpenedStores;
  readonly broker: Broker;
  /** The broker, when it is Kafka. */
  readonly kafka: KafkaBroker | undefined;
  readonly channels: Channels;
  readonly subscriptions: Subscriptions;
  readonly security: GatewaySecurity;
  readonly authorizer: Authorizer;
  readonly dispatcher: Dispatcher;
  readonly workers: WorkerHost;
  readonly follows: FollowHost;
  readonly eventLoop: EventLoopMonitor;
  /** Undefined for a node on its own. */
  readonly cluster: Cluster | undefined;
  readonly health: HealthMonitor;
  /** Calls `listener` when subscribers may have missed messages, so that they must resume from their positions. */
  onRecordsMissed(listener: () => void): void;
}

export interface GatewayCoreComponents {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Collects the functions that close the parts. */
  readonly cleanup: Cleanup;
  /** False once the gateway stops. */
  readonly accepting: () => boolean;
  /** Returns the gateway's URL once it listens. */
  readonly url: () => string;
  /** Is called once the node's id is known, before the other parts are opened. */
  readonly startTelemetry: (nodeId: string) => Promise<void>;
  /** The other processes of the port. */
  readonly siblings?: Siblings | undefined;
}

/** Opens the data folder, the stores, the broker and the parts that use them. @throws `unavailable` and others */
export async function openGatewayCore(
  { clock, logger, cleanup, accepting, url, startTelemetry, siblings }: GatewayCoreComponents,
  config: GatewayConfig,
): Promise<GatewayCore> {
  const dataDir = await openDataDir(config.dataDir);
  cleanup.defer(() => dataDir.release());
  const nodeId = await nodeIdOf(dataDir, config.nodeId);
  await startTelemetry(nodeId);
  setLogger(logger);
  if (config.telemetry.handlers.includes('logger')) {
    attachDefaultHandler(telemetryLogger(logger));
    cleanup.defer(() => detach(DEFAULT_HANDLER_ID));
  }

  const { policy, maxFailures } = config.registry;
  const registry = createRegistry({ clock, logger }, { nodeId, policy, maxFailures });
  cleanup.defer(() => registry.close());
  const here = holdsStores(siblings);
  const stores = await openStores(config.stores, { dataDir, registry, clock, logger }, { here });
  cleanup.defer(() => stores.close());
  const traces = createAppendTraces(clock);
  let cluster: Cluster | undefined;
  const isClustered = config.cluster.discovery !== 'none';
  const registerStore = (store: EventStore): void => {
    const engine = config.stores[store.storeId]?.engine ?? 'memory';
    // Other nodes see by `keepsSubscriptions` where the subscriptions of the store are.
    const worker = createStoreWorker(store, { nodeId, clock, system: engine });
    registry.register(traces.watch(isClustered ? { ...worker, keepsSubscriptions: true } : worker));
  };
  for (const store of stores.local) {
    if (isConnected(store)) registerStore(store);
    else {
      whenConnected(store)
        .then(() => {
          registerStore(store);
          logger.info({ storeId: store.storeId }, 'the database of the store was reached');
        })
        .catch((error: unknown) => {
          if (!accepting()) return;
          logger.error({ err: error, storeId: store.storeId }, 'cannot serve the store');
          health.refused(store.storeId, GaterError.from(error).message);
        });
    }
  }

  const persistent = openSubscriptionHost({
    dataDir,
    registry,
    local: stores.local,
    clock,
    logger,
    onChange: (change) => cluster?.subscriptionChanged(change),
  });
  cleanup.defer(() => persistent.close());
  const feeds = await openFeedHost(
    { nodeId, dataDir, registry, local: stores.local, traces, clock, logger },
    config,
  );
  const security = await openGatewaySecurity({ dataDir, clock, logger }, config);
  cleanup.defer(() => security.revocations.close());
  const missed = new Set<() => void>();
  const { broker, kafka } = await openBroker(
    {
      replaySource: feeds.source,
      epochs: await openEpochFile(dataDir.file('broker-epochs.json')),
      signatures: security.signatures,
      siblings,
      onMissed: () => {
        for (const listener of missed) listener();
      },
      clock,
      logger,
    },
    config,
    nodeId,
  );
  cleanup.defer(() => broker.close());
  cleanup.defer(() => feeds.close());

  const eventLoop = createEventLoopMonitor(clock);
  cleanup.defer(() => eventLoop.close());
  const channels = createChannels(
    { broker, clock, logger, signatures: security.signatures, overloaded: eventLoop.isBehind },
    {
      channels: config.channels,
      realm: config.realm,
      messagingSystem: kafka === undefined ? 'esdb_gater' : 'kafka',
      messageBytes: config.limits.messageBytes,
    },
  );
  cleanup.defer(() => channels.close());
  const { revocations } = security;
  cleanup.defer(await revocations.follow(channels, kafka));
  const { topicPrefix } = config.kafka;
  // Without Kafka the process that has the broker feeds the stores of all processes.
  const isFeeding = here || kafka !== undefined;
  // Only after the channels tail the broker: events that are fed earlier would reach nobody.
  if (isFeeding) {
    feeds.begin(broker, kafka && createFeedCoordination({ kafka, clock, logger }, { nodeId, topicPrefix }));
  }
  // Without Kafka the gateway starts too, and `/readyz` says that it is not ready.
  if (kafka !== undefined) await finishesWithin(revocations.whenComplete(), READY_WITHIN_MS, clock);

  const follows = createFollowHost({ registry, local: stores.local, clock, logger });
  cleanup.defer(() => follows.close());
  cluster = isClustered
    ? createCluster(
        {
          registry,
          host: persistent,
          revocations,
          kafka,
          discovery: siblings?.discovery,
          traces,
          onWorker(worker) {
            // With Kafka a node that has the store feeds it for all.
            if (kafka === undefined && isFeeding) feeds.workerRegistered(worker);
            follows.workerRegistered(worker);
            persistent.workerRegistered(worker);
          },
          onRefused(worker, message) {
            health.refused(worker.storeId, message);
            workers.refused(worker);
          },
          clock,
          logger,
        },
        { nodeId, incarnation: await nextIncarnation(dataDir, clock) },
        config,
      )
    : undefined;
  const subscriptions = cluster?.subscriptions ?? persistent.subscriptions;
  if (cluster !== undefined) {
    cleanup.defer(() => cluster.close());
    for (const store of stores.local) {
      cleanup.defer(store.onCommitted((position) => cluster.committed(store.storeId, position)));
    }
  }

  const authorizer = createAuthorizer(config);
  const health = createHealthMonitor(
    {
      registry,
      broker,
      eventLoop,
      clock,
      healthReasons: () => [
        ...stores.healthReasons(),
        ...feeds.healthReasons(),
        ...persistent.healthReasons(),
        ...(cluster?.healthReasons() ?? []),
      ],
      members: cluster?.members,
    },
    { nodeId, url },
  );
  const alone = { nodeId, incarnation: Math.floor(clock.now()), status: 'alive', self: true } as const;
  const caller = createStoreCaller({ registry, clock }, config.retry);
  const dispatcher = createDispatcher(
    {
      authorizer,
      handlers: createHandlers({
        stores: caller,
        channels,
        subscriptions,
        registry,
        health,
        authorizer,
        revocations,
        members: () => {
          const members = cluster?.members() ?? [];
          return members.length > 0 ? members : [{ ...alone, url: url() }];
        },
      }),
      accepting,
    },
    { messageBytes: config.limits.messageBytes },
  );
  const workers = createWorkerHost(
    {
      registry,
      clock,
      onWorker(worker) {
        if (isFeeding) feeds.workerRegistered(worker);
        follows.workerRegistered(worker);
        persistent.workerRegistered(worker);
        if (cluster !== undefined) {
          worker.onCommitted((position) => cluster.committed(worker.storeId, position));
        }
      },
      onRefused: health.refused,
      traces,
    },
    { nodeId, stores: config.stores },
  );
  return {
    nodeId,
    registry,
    stores,
    broker,
    kafka,
    channels,
    subscriptions,
    security,
    authorizer,
    dispatcher,
    workers,
    follows,
    eventLoop,
    cluster,
    health,
    onRecordsMissed: (listener) => void missed.add(listener),
  };
}
