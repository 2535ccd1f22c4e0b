import type { ChannelName } from '@esdb-gater/types';

/** The eleven events, by name. */
export const EVENTS = [
  'esdb_gater.worker.registered',
  'esdb_gater.worker.unregistered',
  'esdb_gater.worker.lookup',
  'esdb_gater.request.start',
  'esdb_gater.request.stop',
  'esdb_gater.request.error',
  'esdb_gater.retry.attempt',
  'esdb_gater.retry.exhausted',
  'esdb_gater.cluster.node.up',
  'esdb_gater.cluster.node.down',
  'esdb_gater.channel.broadcast',
] as const;

export type EventName = (typeof EVENTS)[number];

/** Unix milliseconds. */
interface At {
  readonly system_time: number;
}

/** Milliseconds with fractions. */
interface Took {
  readonly duration: number;
}

interface Request {
  readonly store_id: string;
  /** The method's name, such as `appendEvents`. */
  readonly request_type: string;
}

interface Failure {
  readonly store_id: string;
  /** The code of the error. */
  readonly reason: string;
}

interface Member {
  readonly node: string;
  /** Nodes of the cluster after the change, this one counted. */
  readonly member_count: number;
}

/**
 * The measurements and metadata of each event. Member names are those of the Erlang ancestor, so that its dashboards
 * fit.
 */
export interface TelemetryEvents {
  'esdb_gater.worker.registered': {
    readonly measurements: At;
    /** `node` is the node's id, `pid` the worker's. */
    readonly metadata: { readonly store_id: string; readonly node: string; readonly pid: string };
  };
  'esdb_gater.worker.unregistered': {
    readonly measurements: At;
    readonly metadata: { readonly store_id: string; readonly pid: string };
  };
  'esdb_gater.worker.lookup': {
    readonly measurements: Took;
    readonly metadata: { readonly store_id: string };
  };
  'esdb_gater.request.start': { readonly measurements: At; readonly metadata: Request };
  'esdb_gater.request.stop': {
    readonly measurements: Took;
    readonly metadata: Request & { readonly result: string };
  };
  'esdb_gater.request.error': { readonly measurements: Took; readonly metadata: Request & Failure };
  'esdb_gater.retry.attempt': {
    /** `attempt` is the number of the failed attempt, from 1, as `total_attempts` counts. */
    readonly measurements: { readonly delay_ms: number; readonly attempt: number };
    readonly metadata: Failure;
  };
  'esdb_gater.retry.exhausted': {
    readonly measurements: { readonly total_attempts: number };
    readonly metadata: Failure;
  };
  'esdb_gater.cluster.node.up': { readonly measurements: At; readonly metadata: Member };
  'esdb_gater.cluster.node.down': { readonly measurements: At; readonly metadata: Member };
  'esdb_gater.channel.broadcast': {
    readonly measurements: { readonly recipient_count: number };
    readonly metadata: { readonly channel: ChannelName; readonly topic: string };
  };
}

export type Measurements<Name extends EventName> = TelemetryEvents[Name]['measurements'];
export type Metadata<Name extends EventName> = TelemetryEvents[Name]['metadata'];
