import { createKafkaBroker, type KafkaBroker } from '@esdb-gater/broker-kafka';
import { createMemoryBroker, type EpochLog, type SignatureGate } from '@esdb-gater/channels';
import {
  type Broker,
  CHANNEL_NAMES,
  type ChannelName,
  type Clock,
  type FeedReplaySource,
  type Logger,
} from '@esdb-gater/types';
import type { GatewayConfig } from '../config/types.ts';
import { createBrokerHost } from '../processes/broker-host.ts';
import { createBrokerLink } from '../processes/broker-link.ts';
import { connectToLocalSocket, listenOnLocalSocket } from '../processes/local-sockets.ts';
import { holdsStores, type Siblings } from '../processes/siblings.ts';
import { acceptSigned } from './accept-signed.ts';
import { connectionSecurity } from './connection-security.ts';

export interface OpenBrokerComponents {
  /** Where the in-process broker replays fed events from. With Kafka they replay from Kafka. */
  readonly replaySource: FeedReplaySource;
  /** Stores the runs of the in-process broker. */
  readonly epochs: EpochLog;
  /** The secrets for checking records from Kafka. */
  readonly signatures: SignatureGate;
  /** The other processes of the port, which share the in-process broker of the first one. */
  readonly siblings: Siblings | undefined;
  /** Is called when this process may have missed records of the shared broker. */
  readonly onMissed: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface OpenedBroker {
  readonly broker: Broker;
  /** The same, when it is Kafka. */
  readonly kafka: KafkaBroker | undefined;
}

/**
 * Opens the broker of the configuration: Kafka, or the in-process broker. Kafka need not be there yet.
 *
 * @throws `invalid_argument` (reasons `kafka`, `configuration`) for a wrong setting
 */
export async function openBroker(
  components: OpenBrokerComponents,
  config: GatewayConfig,
  nodeId: string,
): Promise<OpenedBroker> {
  const { signatures, clock, logger } = components;
  const { brokers, driver, topicPrefix, publishTimeoutMs } = config.kafka;
  if (brokers === null) {
    return { broker: await openInProcessBroker(components, config), kafka: undefined };
  }
  const signed = CHANNEL_NAMES.filter((name) => config.channels[name].requireSignature);
  const kafka = createKafkaBroker(
    { clock, logger, accept: acceptSigned(new Set(signed), signatures) },
    {
      brokers,
      ...connectionSecurity(config.kafka),
      driver,
      topicPrefix,
      publishTimeoutMs,
      // The age of a signature is judged by the time of the record, which its writer must not choose.
      brokerTime: signed,
      clientId: `esdb-gater-${nodeId}`,
    },
  );
  return { broker: kafka, kafka };
}

/** Opens the in-process broker, or connects to that of the first process. @throws `unavailable` */
async function openInProcessBroker(
  { replaySource, epochs, siblings, onMissed, clock, logger }: OpenBrokerComponents,
  config: GatewayConfig,
): Promise<Broker> {
  if (siblings !== undefined && !holdsStores(siblings)) {
    const { brokerSocket } = siblings;
    return createBrokerLink({
      connect: (signal) => connectToLocalSocket(brokerSocket, signal),
      canMatch: (storeId, topic) => replaySource.canMatch?.(storeId, topic) !== false,
      onMissed,
      clock,
      logger,
    });
  }
  const history = Object.fromEntries(
    CHANNEL_NAMES.map((name) => [name, config.channels[name].history]),
  ) as Record<ChannelName, number>;
  const broker = createMemoryBroker({ history, replaySource, epochs, clock, logger });
  return siblings === undefined ? broker : shareBroker(broker, siblings.brokerSocket, logger);
}

/** Lets the other processes reach the broker until it is closed. @throws `unavailable` */
async function shareBroker(broker: Broker, path: string, logger: Logger): Promise<Broker> {
  const host = createBrokerHost({ broker, logger });
  const server = await listenOnLocalSocket(path, (transport) => host.serve(transport));
  const close = async (): Promise<void> => {
    const closed = server.close();
    await host.broker.close();
    await closed;
  };
  return { ...host.broker, close };
}
