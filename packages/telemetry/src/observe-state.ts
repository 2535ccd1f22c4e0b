import { type BatchObservableResult, type Meter, metrics, type Observable } from '@opentelemetry/api';
import {
  CHANNEL,
  CONNECTION_KIND,
  channelAttributes,
  OBSERVED,
  type ObservedInstrument,
  SCOPE,
  STATISTIC,
  storeAttributes,
  WORKER_STATE,
} from './conventions.ts';

/** What a gateway can say of itself when it is asked. Reading must be cheap and never throw. */
export interface ObservedState {
  /** Live connections. */
  connections(): { readonly websocket: number; readonly sse: number };
  /** Bytes that all connections together have not taken yet. */
  sendQueueBytes(): number;
  channels(): Iterable<{ readonly name: string; readonly subscribers: number; readonly dropped: number }>;
  stores(): Iterable<{ readonly storeId: string; readonly live: number; readonly ejected: number }>;
  /** Milliseconds, over the last 10 s. */
  eventLoopDelay(): { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };
  broker(): ObservedBroker;
}

export interface ObservedBroker {
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  /** Only of a broker outside of this process. */
  readonly stats?: {
    readonly queued: { readonly records: number; readonly bytes: number };
    /** Records not handed over yet, by channel. */
    readonly lag: ReadonlyMap<string, number>;
    readonly deadLetters: ReadonlyMap<string, number>;
    readonly duplicates: number;
    readonly leaderless: number;
  };
}

export interface ObserveStateOptions {
  /** @default the global one, which does nothing until an SDK is registered */
  readonly meter?: Meter;
}

const UP = { healthy: 1, degraded: 0.5, unhealthy: 0 } as const;

/**
 * Exports `state` as OpenTelemetry metrics. It is read at each export and costs nothing in between.
 *
 * @returns what ends it
 */
export function observeState(state: ObservedState, options: ObserveStateOptions = {}): () => void {
  const { meter = metrics.getMeter(SCOPE) } = options;
  const made = {
    connections: create(meter, OBSERVED.connections),
    sendQueue: create(meter, OBSERVED.sendQueue),
    subscriptions: create(meter, OBSERVED.subscriptions),
    dropped: create(meter, OBSERVED.dropped),
    storeWorkers: create(meter, OBSERVED.storeWorkers),
    eventLoopDelay: create(meter, OBSERVED.eventLoopDelay),
    brokerUp: create(meter, OBSERVED.brokerUp),
    brokerQueue: create(meter, OBSERVED.brokerQueue),
    brokerQueueSize: create(meter, OBSERVED.brokerQueueSize),
    lag: create(meter, OBSERVED.lag),
    deadLetters: create(meter, OBSERVED.deadLetters),
    duplicates: create(meter, OBSERVED.duplicates),
    leaderless: create(meter, OBSERVED.leaderless),
  };

  const read = (result: BatchObservableResult): void => {
    const { websocket, sse } = state.connections();
    result.observe(made.connections, websocket, { [CONNECTION_KIND]: 'websocket' });
    result.observe(made.connections, sse, { [CONNECTION_KIND]: 'sse' });
    result.observe(made.sendQueue, state.sendQueueBytes());
    for (const { name, subscribers, dropped } of state.channels()) {
      const attributes = channelAttributes(name);
      result.observe(made.subscriptions, subscribers, attributes);
      result.observe(made.dropped, dropped, attributes);
    }
    for (const { storeId, live, ejected } of state.stores()) {
      const attributes = storeAttributes(storeId);
      result.observe(made.storeWorkers, live, { ...attributes, [WORKER_STATE]: 'live' });
      result.observe(made.storeWorkers, ejected, { ...attributes, [WORKER_STATE]: 'ejected' });
    }
    const { p50Ms, p99Ms, maxMs } = state.eventLoopDelay();
    result.observe(made.eventLoopDelay, p50Ms / 1_000, { [STATISTIC]: 'p50' });
    result.observe(made.eventLoopDelay, p99Ms / 1_000, { [STATISTIC]: 'p99' });
    result.observe(made.eventLoopDelay, maxMs / 1_000, { [STATISTIC]: 'max' });
    observeBroker(state.broker(), result);
  };

  const observeBroker = ({ status, stats }: ObservedBroker, result: BatchObservableResult): void => {
    result.observe(made.brokerUp, UP[status]);
    if (stats === undefined) return;
    result.observe(made.brokerQueue, stats.queued.records);
    result.observe(made.brokerQueueSize, stats.queued.bytes);
    for (const [channel, lag] of stats.lag) result.observe(made.lag, lag, { [CHANNEL]: channel });
    for (const [channel, count] of stats.deadLetters) {
      result.observe(made.deadLetters, count, { [CHANNEL]: channel });
    }
    result.observe(made.duplicates, stats.duplicates);
    result.observe(made.leaderless, stats.leaderless);
  };

  const observables = Object.values(made);
  meter.addBatchObservableCallback(read, observables);
  return () => meter.removeBatchObservableCallback(read, observables);
}

function create(meter: Meter, { kind, name, unit, description }: ObservedInstrument): Observable {
  switch (kind) {
    case 'gauge':
      return meter.createObservableGauge(name, { unit, description });
    case 'upDownCounter':
      return meter.createObservableUpDownCounter(name, { unit, description });
    case 'counter':
      return meter.createObservableCounter(name, { unit, description });
  }
}
