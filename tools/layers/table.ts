/**
 * Which packages of ours each package may import: the arrows of ARCHITECTURE.md, and the only place where they
 * are enforced. `development` adds what test files may import besides.
 */
export interface LayerRule {
  readonly imports: readonly string[];
  readonly development?: readonly string[];
  /** Products that only this package may import. */
  readonly owns?: readonly string[];
}

export const LAYERS: Readonly<Record<string, LayerRule>> = {
  types: { imports: [] },
  retry: { imports: ['types'] },
  telemetry: { imports: ['types'] },
  security: { imports: ['types', 'native'], development: ['native'] },
  protocol: { imports: ['types'] },
  registry: { imports: ['retry', 'telemetry', 'protocol', 'types'] },
  channels: { imports: ['security', 'retry', 'telemetry', 'types'], development: ['conformance'] },
  'event-store': { imports: ['telemetry', 'types'], development: ['conformance'] },
  client: { imports: ['protocol', 'security', 'retry', 'telemetry', 'types'] },
  'broker-kafka': {
    imports: ['types', 'retry', 'telemetry'],
    development: ['conformance'],
    owns: ['kafkajs', '@platformatic/kafka'],
  },
  'store-sqlite': {
    imports: ['event-store', 'retry', 'telemetry', 'types'],
    development: ['conformance'],
    owns: ['node:sqlite'],
  },
  conformance: { imports: ['types', 'client'] },
  native: { imports: [] },
  gateway: {
    imports: [
      'types',
      'retry',
      'telemetry',
      'security',
      'protocol',
      'registry',
      'channels',
      'event-store',
      'client',
      'broker-kafka',
      'store-sqlite',
    ],
    development: ['conformance', 'native'],
    owns: ['fastify', 'pino', '@opentelemetry/sdk-node'],
  },
};
