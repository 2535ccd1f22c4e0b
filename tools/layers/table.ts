/**
 * The workspace packages that each package may import: the arrows of ARCHITECTURE.md, which only this table enforces.
 * `development` adds packages that only test files may import.
 */
export interface LayerRule {
  readonly imports: readonly string[];
  readonly development?: readonly string[];
  /** Products that only this package may import. */
  readonly owns?: readonly string[];
}

export const LAYERS: Readonly<Record<string, LayerRule>> = {
  types: { imports: [] },
  primitives: { imports: ['types'] },
  retry: { imports: ['primitives', 'types'] },
  telemetry: { imports: ['primitives', 'types'] },
  security: { imports: ['primitives', 'types', 'native'], development: ['native'] },
  protocol: { imports: ['primitives', 'types'] },
  registry: {
    imports: ['retry', 'telemetry', 'protocol', 'primitives', 'types'],
    development: ['conformance'],
  },
  channels: {
    imports: ['security', 'retry', 'telemetry', 'primitives', 'types'],
    development: ['conformance'],
  },
  'event-store': { imports: ['telemetry', 'primitives', 'types'], development: ['conformance'] },
  gater: { imports: ['registry', 'protocol', 'retry', 'primitives', 'types'] },
  client: { imports: ['gater', 'protocol', 'security', 'retry', 'telemetry', 'primitives', 'types'] },
  app: {
    imports: ['gater', 'event-store', 'registry', 'retry', 'primitives', 'types'],
    development: ['store-postgres', 'store-sqlite'],
  },
  'broker-kafka': {
    imports: ['types', 'primitives', 'retry', 'telemetry'],
    development: ['conformance'],
    owns: ['kafkajs', '@platformatic/kafka'],
  },
  'store-sqlite': {
    imports: ['event-store', 'retry', 'telemetry', 'primitives', 'types'],
    development: ['conformance'],
    owns: ['node:sqlite'],
  },
  embedded: {
    imports: ['gater', 'registry', 'channels', 'event-store', 'primitives', 'types'],
    development: ['store-sqlite'],
  },
  // Writes files of its own; the packages of the project that it writes are installed there.
  'create-esdb-gater': { imports: [] },
  'discovery-multicast': {
    imports: ['security', 'primitives', 'types'],
    development: ['conformance'],
    owns: ['node:dgram'],
  },
  'store-postgres': {
    imports: ['event-store', 'primitives', 'types'],
    development: ['conformance'],
    owns: ['pg'],
  },
  conformance: { imports: ['primitives', 'types', 'client'] },
  // Bundled at build time. Of `protocol` and `types` it takes types only: its client is the one for browsers.
  dashboard: { imports: ['client', 'protocol', 'types'], owns: ['preact', '@preact/signals', 'uplot'] },
  native: { imports: [] },
  gateway: {
    imports: [
      'types',
      'primitives',
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
      'discovery-multicast',
      'store-postgres',
    ],
    development: ['conformance', 'native'],
    owns: ['fastify', 'pino', '@opentelemetry/sdk-node', '@prometheus-io/client'],
  },
};
