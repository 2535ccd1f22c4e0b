import { createMemoryBroker, type FedSource } from '@esdb-gater/channels';
import {
  type Broker,
  CHANNEL_NAMES,
  type ChannelName,
  type Clock,
  GaterError,
  type Logger,
} from '@esdb-gater/types';
import type { GatewayConfig } from '../config/types.ts';

export interface OpenBrokerComponents {
  /** Where the in-process broker replays fed events from. */
  readonly fedSource: FedSource;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The broker of the configuration.
 *
 * @throws `not_supported` for Kafka
 */
export function openBroker(
  { fedSource, clock, logger }: OpenBrokerComponents,
  config: GatewayConfig,
): Broker {
  if (config.kafka.brokers !== null) {
    throw new GaterError('not_supported', 'kafka.brokers: the Kafka broker is not supported by this version');
  }
  const history = Object.fromEntries(
    CHANNEL_NAMES.map((name) => [name, config.channels[name].history]),
  ) as Record<ChannelName, number>;
  return createMemoryBroker({ history, fedSource, clock, logger });
}
