import type { HealthReason, HealthResult } from '@esdb-gater/protocol';
import { overallHealth, probeStores } from '@esdb-gater/registry';
import type { Broker, Clock, MemberInfo, Registry } from '@esdb-gater/types';
import type { EventLoopMonitor } from '../telemetry/event-loop.ts';

export interface HealthComponents {
  readonly registry: Registry;
  readonly broker: Broker;
  readonly eventLoop: EventLoopMonitor;
  readonly clock: Clock;
  /** Why stores and feeds are not healthy, although their workers answer. */
  readonly healthReasons: () => readonly HealthReason[];
  /** The live nodes of the cluster. @default none but this one */
  readonly members?: (() => readonly MemberInfo[]) | undefined;
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
      const { stores, reasons: storeReasons } = await probeStores(registry, PROBE_TIMEOUT_MS);
      const reasons: HealthReason[] = [...storeReasons];
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
      reasons.push(...components.healthReasons());
      const status = overallHealth({ stores, reasons }, brokerHealth.status);
      return {
        status,
        reasons,
        stores,
        nodes: [
          { nodeId: options.nodeId, url: options.url(), status },
          ...(components.members?.() ?? []).filter(({ self }) => !self).map(nodeHealth),
        ],
      };
    },
  };
}

/** The state of another node, as far as this one sees it. */
function nodeHealth({ nodeId, url, status }: MemberInfo): HealthResult['nodes'][number] {
  return { nodeId, url, status: status === 'alive' ? 'healthy' : status };
}
