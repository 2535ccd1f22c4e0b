import type { Schema } from '../schemas/schema-kit.ts';
import type { Requirement } from './actions.ts';

/** Who answers a method: a worker of the store, the ten channels, the gateway, or this one connection of it. */
export type ServedBy = 'store' | 'channels' | 'gateway' | 'connection';

/** Whether a worker is asked for a method: it must serve it, may serve it, or is never asked. */
export type WorkerDuty = 'required' | 'optional' | 'never';

/** One method of the protocol. */
export interface MethodSpec<Params, Result> {
  readonly params: Schema<Params>;
  readonly result: Schema<Result>;
  readonly servedBy: ServedBy;
  /** Of workers that are registered for a store. */
  readonly worker: WorkerDuty;
  /** One sentence for the descriptions of the protocol. */
  readonly summary: string;
  /** The permissions that a call with these parameters needs. Empty where none is. */
  requires(params: Params): readonly Requirement[];
  /**
   * What a schema cannot say about several members together.
   *
   * @throws `invalid_argument`
   */
  check?(params: Params): void;
}

/** Needs no permission. */
export const nothing = (): readonly Requirement[] => [];
