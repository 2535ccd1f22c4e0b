import { CHANNEL_NAMES } from '@esdb-gater/types';
import { type Meter, metrics } from '@opentelemetry/api';
import { SCOPE } from './conventions.ts';
import type { InstrumentSink, Observe } from './instrument-sink.ts';
import { INSTRUMENTS } from './instruments.ts';
import { createLabelValues, type LabelValues } from './label-values.ts';
import { createMeterSink } from './meter-sink.ts';

/** The state of a gateway, read at each export. Reading must be cheap and never throw. */
export interface ObservedState {
  /** Live connections. */
  connections(): { readonly websocket: number; readonly sse: number };
  /** WebSocket connections that the gateway closed, by the close codes that it uses. */
  closures(): Iterable<{ readonly code: string; readonly count: number }>;
  /** Bytes that all connections together have not taken yet. */
  sendQueueBytes(): number;
  /** Calls without an id that were refused. */
  refusedNotifications(): number;
  channels(): Iterable<ObservedChannel>;
  stores(): Iterable<{ readonly storeId: string; readonly live: number; readonly ejected: number }>;
  /** The persistent subscriptions in use. @default none */
  subscriptions?(): Iterable<ObservedSubscription>;
  /** Milliseconds, over the last 10 s. */
  eventLoopDelay(): { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };
  broker(): ObservedBroker;
}

export interface ObservedChannel {
  readonly name: string;
  readonly subscribers: number;
  readonly publishedPerSecond: number;
  readonly deliveredPerSecond: number;
  readonly dropped: number;
}

export interface ObservedSubscription {
  readonly storeId: string;
  readonly consumers: number;
  readonly lag: number;
  readonly parked: number;
  readonly inFlight: number;
  readonly retries: number;
  readonly oldestUnackedMs: number;
}

export interface ObservedBroker {
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  /** Only of a broker outside of this process. */
  readonly stats?: {
    readonly queued: { readonly records: number; readonly bytes: number };
    /** Records that are not delivered yet, by channel. */
    readonly lag: ReadonlyMap<string, number>;
    readonly deadLetters: ReadonlyMap<string, number>;
    readonly duplicates: number;
    readonly leaderless: number;
  };
}

export interface ObserveStateOptions {
  /** @default the global one, which does nothing until an SDK is registered */
  readonly meter?: Meter;
  /** Where the values go. @default `meter` */
  readonly sink?: InstrumentSink;
  /** The closed sets of label values. @default sets for a program that chooses its store ids itself */
  readonly labels?: LabelValues;
}

const STATE_INSTRUMENTS = Object.values(INSTRUMENTS).filter(({ source }) => source === 'state');

const UP = { healthy: 1, degraded: 0.5, unhealthy: 0 } as const;

/**
 * Exports `state` as the metrics of the table whose source is `state`. The state is read at each export only.
 *
 * @returns a function that stops the export
 */
export function observeState(state: ObservedState, options: ObserveStateOptions = {}): () => void {
  const { meter, labels = createLabelValues() } = options;
  const sink = options.sink ?? createMeterSink(meter ?? metrics.getMeter(SCOPE));
  return sink.observe(STATE_INSTRUMENTS, (observe) => {
    observeConnections(state, observe);
    observeChannels(state, labels, observe);
    observeStores(state, labels, observe);
    observeSubscriptions(state, labels, observe);
    observeEventLoop(state, observe);
    observeBroker(state.broker(), labels, observe);
  });
}

function observeConnections(state: ObservedState, observe: Observe): void {
  const { websocket, sse } = state.connections();
  observe(INSTRUMENTS.connections, websocket, { kind: 'websocket' });
  observe(INSTRUMENTS.connections, sse, { kind: 'sse' });
  for (const { code, count } of state.closures()) observe(INSTRUMENTS.connectionsClosed, count, { code });
  observe(INSTRUMENTS.sendQueue, state.sendQueueBytes(), {});
  observe(INSTRUMENTS.refusedNotifications, state.refusedNotifications(), {});
}

function observeChannels(state: ObservedState, labels: LabelValues, observe: Observe): void {
  for (const { name, subscribers, publishedPerSecond, deliveredPerSecond, dropped } of state.channels()) {
    const channel = labels.channel(name);
    observe(INSTRUMENTS.channelSubscribers, subscribers, { channel });
    observe(INSTRUMENTS.channelPublished, publishedPerSecond, { channel });
    observe(INSTRUMENTS.channelDelivered, deliveredPerSecond, { channel });
    observe(INSTRUMENTS.channelDropped, dropped, { channel });
  }
}

/** Stores without their own label value are added up. */
function observeStores(state: ObservedState, labels: LabelValues, observe: Observe): void {
  const byStore = new Map<string, { live: number; ejected: number }>();
  for (const { storeId, live, ejected } of state.stores()) {
    const store_id = labels.store(storeId);
    const before = byStore.get(store_id) ?? { live: 0, ejected: 0 };
    byStore.set(store_id, { live: before.live + live, ejected: before.ejected + ejected });
  }
  for (const [store_id, { live, ejected }] of byStore) {
    observe(INSTRUMENTS.workers, live, { store_id, state: 'live' });
    observe(INSTRUMENTS.workers, ejected, { store_id, state: 'ejected' });
  }
}

/** Names of subscriptions are chosen by callers, so the metrics are those of stores. */
function observeSubscriptions(state: ObservedState, labels: LabelValues, observe: Observe): void {
  const byStore = new Map<string, Omit<ObservedSubscription, 'storeId'>>();
  for (const one of state.subscriptions?.() ?? []) {
    const store_id = labels.store(one.storeId);
    const before = byStore.get(store_id);
    byStore.set(store_id, {
      consumers: (before?.consumers ?? 0) + one.consumers,
      lag: Math.max(before?.lag ?? 0, one.lag),
      parked: (before?.parked ?? 0) + one.parked,
      inFlight: (before?.inFlight ?? 0) + one.inFlight,
      retries: (before?.retries ?? 0) + one.retries,
      oldestUnackedMs: Math.max(before?.oldestUnackedMs ?? 0, one.oldestUnackedMs),
    });
  }
  for (const [store_id, all] of byStore) {
    observe(INSTRUMENTS.subscriptionConsumers, all.consumers, { store_id });
    observe(INSTRUMENTS.subscriptionLag, all.lag, { store_id });
    observe(INSTRUMENTS.subscriptionParked, all.parked, { store_id });
    observe(INSTRUMENTS.subscriptionInFlight, all.inFlight, { store_id });
    observe(INSTRUMENTS.subscriptionRetries, all.retries, { store_id });
    observe(INSTRUMENTS.subscriptionOldest, all.oldestUnackedMs / 1_000, { store_id });
  }
}

function observeEventLoop(state: ObservedState, observe: Observe): void {
  const { p50Ms, p99Ms, maxMs } = state.eventLoopDelay();
  observe(INSTRUMENTS.eventLoopDelay, p50Ms / 1_000, { statistic: 'p50' });
  observe(INSTRUMENTS.eventLoopDelay, p99Ms / 1_000, { statistic: 'p99' });
  observe(INSTRUMENTS.eventLoopDelay, maxMs / 1_000, { statistic: 'max' });
}

/** Lag, a queue and the like are values of a broker outside of this process only. */
function observeBroker({ status, stats }: ObservedBroker, labels: LabelValues, observe: Observe): void {
  observe(INSTRUMENTS.brokerUp, UP[status], {});
  for (const channel of CHANNEL_NAMES) {
    observe(INSTRUMENTS.deadLetters, stats?.deadLetters.get(channel) ?? 0, { channel });
  }
  if (stats === undefined) return;
  for (const [name, lag] of stats.lag)
    observe(INSTRUMENTS.channelLag, lag, { channel: labels.channel(name) });
  observe(INSTRUMENTS.brokerQueue, stats.queued.records, {});
  observe(INSTRUMENTS.brokerQueueBytes, stats.queued.bytes, {});
  observe(INSTRUMENTS.brokerDuplicates, stats.duplicates, {});
  observe(INSTRUMENTS.brokerLeaderless, stats.leaderless, {});
}
