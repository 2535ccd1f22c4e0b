// Building blocks of stores
export { compareUtf8, isUuid, prefixEnd, utf8Bytes, uuidV7 } from '@esdb-gater/primitives';
export type { FedEvent, FeedReplaySource } from '@esdb-gater/types';
export { endedError, throwIfEnded, watchContext } from './call-context.ts';
export { checkSnapshotIds, checkSnapshotVersion, checkStoreId, checkStreamId } from './check-params.ts';
export { type CommitListeners, createCommitListeners } from './commit-listeners.ts';
// Copying a store to another engine
export type { HiddenStream, SnapshotKey, StoreCopySource, StoreCopyTarget } from './copy/copy-ports.ts';
export {
  type CopiedStore,
  type CopyStoreOptions,
  compareCopies,
  copyStore,
  type StoreCopyProgress,
} from './copy/copy-store.ts';
export { encodeAppends } from './encode-appends.ts';
export { type EncodedBytes, type EncodedEvent, encodeEvents, encodeJson } from './encode-event.ts';
export { encodeSnapshot, type StoredSnapshot, snapshotPageText, snapshotText } from './encode-snapshot.ts';
export {
  appendConditionFailed,
  notSupported,
  snapshotNotFound,
  storeClosed,
  streamDeleted,
  streamNotFound,
  wrongExpectedVersion,
} from './errors.ts';
export { eventCore, eventHead, eventTail, eventText, isoTimestamp, type StoredEvent } from './event-text.ts';
export { nextEpochUs } from './event-time.ts';
export { checkAppendVersion, checkDeleteVersion, resolveExpectedVersion } from './expected-version.ts';
export { createFeed, type Feed, type FeedComponents, type FeedHealth } from './feed/feed.ts';
export type { FeedOptions } from './feed/feed-options.ts';
export { feedRecord } from './feed/feed-record.ts';
export {
  createFeedReplaySource,
  type FedStore,
  type FeedReplaySourceOptions,
  fedStore,
} from './feed/feed-replay-source.ts';
export {
  compileFeedTopic,
  DEFAULT_FEED_TOPIC,
  type FeedTopic,
  feedTopic,
  type TopicSubject,
} from './feed/feed-topic.ts';
export type { PublishRecord } from './feed/publish-batch.ts';
// Following a store
export type { FollowStore } from './follow/follow-store.ts';
export type { FollowSink } from './follow/follower.ts';
export type { FollowSelection } from './follow/selection.ts';
export {
  createStoreFollows,
  type Follow,
  type FollowParams,
  type StoreFollows,
  type StoreFollowsComponents,
} from './follow/store-follows.ts';
export { CHAIN_START, chainHash, checkHashable } from './hash-chain.ts';
export { jsonEqual, jsonTextEqual } from './json-equal.ts';
export { type PositionIndex, type PositionList, SortedPositions } from './matching/position-list.ts';
export { type Match, QueryMatches } from './matching/query-matches.ts';
export { createMemoryStore, type MemoryStoreOptions } from './memory-store.ts';
// Persistent subscriptions
export { createMemorySubscriptionState } from './memory-subscription-state.ts';
export {
  nextVersion,
  PageMeter,
  readableRange,
  resolveAfter,
  resolveCount,
  resolveSnapshotList,
  resolveStreamRead,
  type SnapshotList,
  type StreamRead,
  type VersionRange,
} from './pages.ts';
export {
  type AppendPlan,
  type AppendRequest,
  type AppendsPlan,
  checkedResult,
  idKey,
  type KnownEvent,
  planAppend,
  planAppends,
} from './plan-append.ts';
export type { StoreHealth } from './store-health.ts';
export { createStoreWorker, STORE_METHODS, type StoreWorkerOptions, storeMethods } from './store-worker.ts';
export { isDeleted, isMissing, isReadable, MISSING_STREAM, type StreamState } from './stream-state.ts';
export type { SubscribedStore } from './subscriptions/subscribed-store.ts';
export {
  createSubscriptions,
  type SubscriptionsComponents,
  type SubscriptionsHost,
  type SubscriptionsOptions,
} from './subscriptions/subscriptions.ts';
// The feed to the channel `events`
export { eventProof } from './tail/event-proof.ts';
// Reading a store to its end and beyond
export {
  createStoreTail,
  type StoreTail,
  type StoreTailComponents,
  type StoreTailOptions,
  type TailReadOptions,
} from './tail/store-tail.ts';
export type { TailPage } from './tail/tail-position.ts';
export type { TailStore, TailStore as FeedStore } from './tail/tail-store.ts';
export { resolveTime, versionUpTo } from './version-at.ts';
