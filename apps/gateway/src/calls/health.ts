import { probeStores } from '@esdb-gater/client';
import type { HealthReason, HealthResult, HealthStatus, StoreHealth } from '@esdb-gater/protocol';
import type { Broker, Clock, Registry } from '@esdb-gater/types';
import type { EventLoopMonitor } from '../telemetry/event-loop.ts';

export interface HealthComponents {
  readonly registry: Registry;
  readonly broker: Broker;
  readonly eventLoop: EventLoopMonitor;
  readonly clock: Clock;
  /** What stores and feeds complain of, although their workers answer. */
  readonly complaints: () => readonly HealthReason[];
}

export interface HealthOptions {
  readonly nodeId: string;
  readonly url: () => string;
}

export interface HealthMonitor {
  /** Asks every worker and the broker. */
  health(): Promise<HealthResult>;
  /** A worker was refused: told for a minute. */
  refused(storeId: string, message: string): void;
}

/** An event loop that is later than this is behind. */
const LATE_MS = 500;

/** How long a worker may take to answer the probe. */
const PROBE_TIMEOUT_MS = 1_000;

const REFUSAL_SHOWN_MS = 60_000;
const MAX_REFUSALS = 100;

export function createHealthMonitor(components: HealthComponents, options: HealthOptions): HealthMonitor {
  const { registry, broker, eventLoop, clock } = components;
  const refusals = new Map<string, { readonly message: string; readonly until: number }>();

  return {
    refused(storeId, message) {
      if (refusals.size >= MAX_REFUSALS) refusals.clear();
      refusals.set(storeId, { message, until: clock.monotonic() + REFUSAL_SHOWN_MS });
    },
    async health() {
      const asked = await probeStores(registry, PROBE_TIMEOUT_MS);
      const { stores } = asked;
      const reasons: HealthReason[] = [...asked.reasons];
      for (const [storeId, { message, until }] of refusals) {
        if (until < clock.monotonic()) refusals.delete(storeId);
        else reasons.push({ component: `store:${storeId}`, code: 'store_mismatch', message });
      }
      const brokerHealth = broker.health();
      if (brokerHealth.status !== 'healthy') {
        const message = brokerHealth.message ?? `the broker is ${brokerHealth.status}`;
        reasons.push({ component: 'broker', code: 'unavailable', message });
      }
      const { p99Ms } = eventLoop.read();
      if (p99Ms > LATE_MS) {
        const message = `the event loop is ${Math.round(p99Ms)} ms behind (p99 of the last 10 s)`;
        reasons.push({ component: 'event_loop', code: 'overloaded', message });
      }
      reasons.push(...components.complaints());
      const status = overall(Object.values(stores), reasons, brokerHealth.status);
      return {
        status,
        reasons,
        stores,
        nodes: [{ nodeId: options.nodeId, url: options.url(), status }],
      };
    },
  };
}

/** Unhealthy when nothing can be served: no store answers, or the broker is lost. */
function overall(
  stores: readonly StoreHealth[],
  reasons: readonly HealthReason[],
  broker: HealthStatus,
): HealthStatus {
  if (broker === 'unhealthy') return 'unhealthy';
  if (stores.length > 0 && stores.every(({ status }) => status === 'unhealthy')) return 'unhealthy';
  return reasons.length === 0 ? 'healthy' : 'degraded';
}
