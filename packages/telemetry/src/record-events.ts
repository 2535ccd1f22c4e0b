import { attach, detach, type HandlerArguments } from './handlers.ts';
import type { InstrumentSink, Series } from './instrument-sink.ts';
import { CLIENT_CALL_DURATION, INSTRUMENTS } from './instruments.ts';
import { createLabelValues, type LabelValues } from './label-values.ts';
import { StoreSeries } from './store-series.ts';

export interface RecordEventsOptions {
  /** Under which the handler is attached. @default one that is free */
  readonly id?: string;
  /** Whether `request.*` are calls that this process serves or makes. @default 'server' */
  readonly side?: 'server' | 'client';
  /** The closed sets of label values. @default sets for a program that chooses its store ids itself */
  readonly labels?: LabelValues;
}

let attachments = 0;

/**
 * Records the events as the metrics of the table whose source is `event`.
 *
 * @returns a function that stops the recording
 * @throws `invalid_argument` (reason `handler_attached`) when its id is attached already
 */
export function recordEvents(sink: InstrumentSink, options: RecordEventsOptions = {}): () => void {
  const {
    id = `esdb_gater.metrics.${++attachments}`,
    side = 'server',
    labels = createLabelValues(),
  } = options;
  const { method, outcome } = labels;
  const callOf = side === 'server' ? servedCall : madeCall;
  const calls = new StoreSeries(labels, [method, outcome], (store, method, result) =>
    callOf(sink, store, method, result),
  );
  const lookups = new StoreSeries(labels, [], (store_id) =>
    sink.series(INSTRUMENTS.lookupDuration, { store_id }),
  );
  const registrations = new StoreSeries(labels, [], (store_id, change) =>
    sink.series(INSTRUMENTS.registrations, { store_id, change }),
  );
  const retries = new StoreSeries(labels, [outcome], (store_id, reason) =>
    sink.series(INSTRUMENTS.retries, { store_id, reason }),
  );
  const exhausted = new StoreSeries(labels, [outcome], (store_id, reason) =>
    sink.series(INSTRUMENTS.retriesExhausted, { store_id, reason }),
  );
  const channels = channelSeries(sink, labels);
  const inFlight = inFlightCounter(sink);
  const nodes = sink.series(INSTRUMENTS.clusterNodes, {});

  attach(id, (...[event, measurements, metadata]: HandlerArguments) => {
    switch (event) {
      case 'esdb_gater.worker.registered':
        labels.addStore(metadata.store_id);
        return registrations.of(metadata.store_id, 'registered')(1);
      case 'esdb_gater.worker.unregistered':
        return registrations.of(metadata.store_id, 'unregistered')(1);
      case 'esdb_gater.worker.lookup':
        return lookups.of(metadata.store_id)(measurements.duration / 1_000);
      case 'esdb_gater.request.start':
        return inFlight.start();
      case 'esdb_gater.request.stop':
        inFlight.stop();
        return calls.of(metadata.store_id, metadata.request_type, 'ok')(measurements.duration / 1_000);
      case 'esdb_gater.request.error':
        inFlight.stop();
        return calls.of(
          metadata.store_id,
          metadata.request_type,
          metadata.reason,
        )(measurements.duration / 1_000);
      case 'esdb_gater.retry.attempt':
        return retries.of(metadata.store_id, metadata.reason)(1);
      case 'esdb_gater.retry.exhausted':
        return exhausted.of(metadata.store_id, metadata.reason)(1);
      case 'esdb_gater.cluster.node.up':
      case 'esdb_gater.cluster.node.down':
        return nodes(metadata.member_count);
      case 'esdb_gater.channel.broadcast': {
        if (measurements.recipient_count === 0) return;
        const { broadcasts, deliveries } = channels(metadata.channel);
        broadcasts(1);
        return deliveries(measurements.recipient_count);
      }
    }
  });
  return () => {
    detach(id);
  };
}

/** Records one call of a store that this process served, by its seconds. */
function servedCall(sink: InstrumentSink, store_id: string, request_type: string, result: string): Series {
  const count = sink.series(INSTRUMENTS.requests, { store_id, request_type, result });
  const duration = sink.series(INSTRUMENTS.requestDuration, { request_type });
  const rpcDuration = sink.series(INSTRUMENTS.serverCallDuration, rpcLabels(store_id, request_type, result));
  return (seconds) => {
    count(1);
    duration(seconds);
    rpcDuration(seconds);
  };
}

/** Records the duration, in seconds, of one call that this process made. */
function madeCall(sink: InstrumentSink, store_id: string, request_type: string, result: string): Series {
  return sink.series(CLIENT_CALL_DURATION, rpcLabels(store_id, request_type, result));
}

/** The labels of the RPC conventions; `error.type` is left out when the call succeeded. */
function rpcLabels(storeId: string, method: string, result: string) {
  return {
    'rpc.system.name': 'jsonrpc',
    'rpc.method': method,
    'esdb_gater.store.id': storeId,
    'error.type': result === 'ok' ? undefined : result,
  };
}

/** Counts the calls under way. Calls that began before somebody counted are not counted when they end. */
function inFlightCounter(sink: InstrumentSink): { start(): void; stop(): void } {
  const series = sink.series(INSTRUMENTS.requestsInFlight, {});
  let underWay = 0;
  return {
    start() {
      underWay++;
      series(1);
    },
    stop() {
      if (underWay === 0) return;
      underWay--;
      series(-1);
    },
  };
}

interface ChannelSeries {
  readonly broadcasts: Series;
  readonly deliveries: Series;
}

function channelSeries(sink: InstrumentSink, labels: LabelValues): (name: string) => ChannelSeries {
  const made = new Map<string, ChannelSeries>();
  return (name) => {
    const channel = labels.channel(name);
    let series = made.get(channel);
    if (series === undefined) {
      series = {
        broadcasts: sink.series(INSTRUMENTS.broadcasts, { channel }),
        deliveries: sink.series(INSTRUMENTS.deliveries, { channel }),
      };
      made.set(channel, series);
    }
    return series;
  };
}
