import { benchFolder } from '../lib/machine.ts';
import { type ServerProcess, startGateway } from '../lib/server-process.ts';

export type DriverName = 'kafkajs' | 'platformatic';

export interface KafkaGatewayOptions {
  readonly name: string;
  readonly bootstrap: string;
  readonly topicPrefix: string;
  readonly driver: DriverName;
}

/** Starts a gateway over Kafka, everything else as by default, in a process that never outlives this one. */
export function startKafkaGateway(options: KafkaGatewayOptions): Promise<ServerProcess> {
  return startGateway(
    {
      'data-dir': benchFolder(`kafka-gateway-${options.name}`),
      stores: '{}',
      'kafka-brokers': options.bootstrap,
      'kafka-topic-prefix': options.topicPrefix,
      'kafka-driver': options.driver,
      'node-id': options.name,
    },
    { ESDB_GATER_SECURITY_HMAC_SECRET: 'a secret of the bench' },
  );
}
