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
import { acceptSigned } from './accept-signed.ts';
import { connectionSecurity } from './connection-security.ts';

export interface OpenBrokerComponents {
  /** Where the in-process broker replays fed events from. With Kafka they replay from Kafka. */
  readonly replaySource: FeedReplaySource;
  /** Stores the runs of the in-process broker. */
  readonly epochs: EpochLog;
  /** The secrets for checking records from Kafka. */
  readonly signatures: SignatureGate;
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
export function openBroker(
  { replaySource, epochs, signatures, clock, logger }: OpenBrokerComponents,
  config: GatewayConfig,
  nodeId: string,
): OpenedBroker {
  const { brokers, driver, topicPrefix, publishTimeoutMs } = config.kafka;
  if (brokers === null) {
    const history = Object.fromEntries(
      CHANNEL_NAMES.map((name) => [name, config.channels[name].history]),
    ) as Record<ChannelName, number>;
    return { broker: createMemoryBroker({ history, replaySource, epochs, clock, logger }), kafka: undefined };
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
