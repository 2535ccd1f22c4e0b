// Users

export {
  type Broker,
  CHANNEL_DEFAULTS as CHANNEL_TABLE,
  type ChannelSettings,
  type Channels,
  type FedEvent,
  type FeedReplaySource,
} from '@esdb-gater/types';
export { type ChannelsComponents, createChannels } from './channels.ts';
// For transports that write to many connections
export { concatBytes } from './delivery/delivery-batch.ts';
export type { BrokerEpoch, EpochLog } from './memory-broker/epoch-log.ts';
export { createMemoryBroker, type MemoryBrokerOptions } from './memory-broker/memory-broker.ts';
// For brokers that pass the in-process broker on to other processes
export { reachesPosition } from './memory-broker/positions.ts';
export type { ChannelOptions, ChannelsOptions } from './options.ts';
// For signatures of another kind
export {
  createSignatureGate,
  type SignatureGate,
  type SignatureGateComponents,
  type SignatureGateOptions,
  type SignaturePass,
} from './publish/signature-gate.ts';
// For feeds, which append to a broker by themselves
export { appendTraced } from './tracing.ts';
// Topics

export {
  createTopicMatcher,
  type TopicMatcher,
  validatePattern,
  validateTopic,
} from '@esdb-gater/primitives';
export { createTopicIndex, type TopicIndex, type TopicIndexOptions } from './topics/topic-index.ts';
