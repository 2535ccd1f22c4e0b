import { createKafkaDiscovery, type KafkaBroker } from '@esdb-gater/broker-kafka';
import { createMulticastDiscovery } from '@esdb-gater/discovery-multicast';
import { createStaticDiscovery } from '@esdb-gater/registry';
import type { Secrets } from '@esdb-gater/security';
import { type Clock, type Discovery, invalidArgument, type Logger } from '@esdb-gater/types';
import type { GatewayConfig } from '../config/types.ts';

export interface DiscoveryComponents {
  readonly kafka: KafkaBroker | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How others find this node. */
export interface FoundNode {
  readonly nodeId: string;
  readonly url: string;
}

/** Opens the discovery that the settings name. @throws `invalid_argument` for settings that do not fit together */
export function openDiscovery(
  { discovery, peers, multicastAddr: group, port }: GatewayConfig['cluster'],
  secret: Secrets,
  node: FoundNode,
  { kafka, clock, logger }: DiscoveryComponents,
): Discovery {
  switch (discovery) {
    case 'multicast': {
      const secrets = typeof secret === 'string' ? [secret] : secret.map((one) => one.secret);
      return createMulticastDiscovery({ logger, clock }, { node, secrets, group, port });
    }
    case 'kafka':
      if (kafka !== undefined) return createKafkaDiscovery({ broker: kafka, clock, logger }, { node });
      throw invalidArgument('configuration', '`cluster.discovery` kafka needs `kafka.brokers`');
    default:
      return createStaticDiscovery({ peers: peers.filter((peer) => peer !== node.url) });
  }
}
