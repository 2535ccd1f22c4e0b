import { secureProperties } from './secure.ts';

/** The addresses and the log folder of one broker. */
export interface BrokerPlace {
  readonly nodeId: number;
  readonly port: number;
  readonly controllerPort: number;
  /** The address that clients get. */
  readonly advertisedPort: number;
  readonly dataDir: string;
  /** Only of a secured broker: where the brokers reach each other. */
  readonly internalPort?: number;
  /** Only of a secured broker: the certificate of the authority. */
  readonly caFile?: string;
  /** Clients show a certificate instead of logging in. */
  readonly clientCertificates?: boolean;
}

/**
 * The settings of one node, broker and controller in one, of a cluster of `all`.
 *
 * A broker that stops answering is replaced after 3 s instead of Kafka's 9, so that a killed leader is followed by
 * another one well within the bound of a publish. Topics are created only on request.
 */
export function serverProperties(place: BrokerPlace, all: readonly BrokerPlace[]): string {
  const replicas = Math.min(3, all.length);
  const settings: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': place.nodeId,
    ...listenersOf(place),
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.voters': all
      .map(({ nodeId, controllerPort }) => `${nodeId}@127.0.0.1:${controllerPort}`)
      .join(','),
    'log.dirs': place.dataDir,
    'auto.create.topics.enable': false,
    'default.replication.factor': replicas,
    'min.insync.replicas': replicas > 2 ? 2 : 1,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': replicas > 2 ? 2 : 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'broker.session.timeout.ms': 3_000,
    'broker.heartbeat.interval.ms': 500,
    'replica.lag.time.max.ms': 5_000,
    'num.network.threads': 2,
    'num.io.threads': 4,
    // Kafka takes 128 MiB for it otherwise, half of the heap that these have.
    'log.cleaner.dedupe.buffer.size': 8 * 1_048_576,
    'log.cleaner.io.buffer.size': 524_288,
    'log.cleaner.backoff.ms': 1_000,
    'log.retention.check.interval.ms': 1_000,
  };
  return `${Object.entries(settings)
    .map(([key, value]) => `${key}=${value}`)
    .join('\n')}\n`;
}

function listenersOf(place: BrokerPlace): Record<string, string | boolean> {
  const { port, advertisedPort, controllerPort, internalPort, caFile, clientCertificates = false } = place;
  const controller = `CONTROLLER://127.0.0.1:${controllerPort}`;
  if (caFile === undefined || internalPort === undefined) {
    return {
      listeners: `PLAINTEXT://127.0.0.1:${port},${controller}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${advertisedPort}`,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    };
  }
  const internal = `INTERNAL://127.0.0.1:${internalPort}`;
  return {
    listeners: `CLIENTS://127.0.0.1:${port},${internal},${controller}`,
    'advertised.listeners': `CLIENTS://127.0.0.1:${advertisedPort},${internal}`,
    'listener.security.protocol.map': `CLIENTS:${clientCertificates ? 'SSL' : 'SASL_SSL'},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT`,
    ...secureProperties(caFile, clientCertificates),
  };
}
