import { type Meter, metrics } from '@opentelemetry/api';
import {
  CALL_BOUNDS_SECONDS,
  callAttributes,
  channelAttributes,
  INSTRUMENTS,
  LOOKUP_BOUNDS_SECONDS,
  SCOPE,
  storeAttributes,
} from './conventions.ts';
import { attach, detach, type Handler, type HandlerArguments } from './handlers.ts';

export interface OpenTelemetryOptions {
  /** Under which the handler is attached. @default 'esdb_gater.open_telemetry' */
  readonly id?: string;
  /** Whether `request.*` are calls that this process serves or makes. @default 'server' */
  readonly side?: 'server' | 'client';
  /** @default the global one, which does nothing until an SDK is registered */
  readonly meter?: Meter;
}

/**
 * Maps the events to OpenTelemetry metrics. It uses the API only: register an SDK before, or nothing is recorded.
 *
 * @returns what detaches it
 * @throws `invalid_argument` (reason `handler_attached`) when its id is attached already
 */
export function attachOpenTelemetry(options: OpenTelemetryOptions = {}): () => void {
  const { id = 'esdb_gater.open_telemetry', side = 'server', meter = metrics.getMeter(SCOPE) } = options;
  attach(id, recorder(meter, side));
  return () => {
    detach(id);
  };
}

function recorder(meter: Meter, side: 'server' | 'client'): Handler {
  const callDuration = meter.createHistogram(
    side === 'server' ? INSTRUMENTS.serverDuration : INSTRUMENTS.clientDuration,
    {
      description: 'Duration of calls',
      unit: 's',
      advice: { explicitBucketBoundaries: CALL_BOUNDS_SECONDS },
    },
  );
  const lookupDuration = meter.createHistogram(INSTRUMENTS.lookupDuration, {
    description: 'Time to pick a worker',
    unit: 's',
    advice: { explicitBucketBoundaries: LOOKUP_BOUNDS_SECONDS },
  });
  const workers = meter.createUpDownCounter(INSTRUMENTS.workers, {
    description: 'Registered workers',
    unit: '{worker}',
  });
  const retries = meter.createCounter(INSTRUMENTS.retries, {
    description: 'Attempts that are made again',
    unit: '{attempt}',
  });
  const retriesExhausted = meter.createCounter(INSTRUMENTS.retriesExhausted, {
    description: 'Calls that used up their attempts',
    unit: '{call}',
  });
  const nodes = meter.createGauge(INSTRUMENTS.nodes, { description: 'Nodes of the cluster', unit: '{node}' });
  const broadcasts = meter.createCounter(INSTRUMENTS.broadcasts, {
    description: 'Messages handed to the subscribers of a channel',
    unit: '{message}',
  });
  const deliveries = meter.createCounter(INSTRUMENTS.deliveries, {
    description: 'Messages times their receivers',
    unit: '{message}',
  });

  return (...[event, measurements, metadata]: HandlerArguments) => {
    switch (event) {
      case 'esdb_gater.worker.registered':
        return workers.add(1, storeAttributes(metadata.store_id));
      case 'esdb_gater.worker.unregistered':
        return workers.add(-1, storeAttributes(metadata.store_id));
      case 'esdb_gater.worker.lookup':
        return lookupDuration.record(measurements.duration / 1_000, storeAttributes(metadata.store_id));
      case 'esdb_gater.request.start':
        return;
      case 'esdb_gater.request.stop': {
        const attributes = callAttributes(metadata.request_type, metadata.store_id);
        return callDuration.record(measurements.duration / 1_000, attributes);
      }
      case 'esdb_gater.request.error': {
        const attributes = callAttributes(metadata.request_type, metadata.store_id, metadata.reason);
        return callDuration.record(measurements.duration / 1_000, attributes);
      }
      case 'esdb_gater.retry.attempt':
        return retries.add(1, storeAttributes(metadata.store_id, metadata.reason));
      case 'esdb_gater.retry.exhausted':
        return retriesExhausted.add(1, storeAttributes(metadata.store_id, metadata.reason));
      case 'esdb_gater.cluster.node.up':
      case 'esdb_gater.cluster.node.down':
        return nodes.record(metadata.member_count);
      case 'esdb_gater.channel.broadcast': {
        const attributes = channelAttributes(metadata.channel);
        broadcasts.add(1, attributes);
        return deliveries.add(measurements.recipient_count, attributes);
      }
    }
  };
}
