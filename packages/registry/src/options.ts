import { MAX_TIMER_MS, requireInteger, requireNumber, requireOneOf } from '@esdb-gater/primitives';
import { type Clock, type Logger, silentLogger, systemClock } from '@esdb-gater/types';

/** Which of a store's live workers are asked: those of this node as long as there is one, or all. */
export type RegistryPolicy = 'local-first' | 'round-robin';

export interface RegistryComponents {
  /** @default the platform's */
  readonly clock?: Clock;
  /** @default silent */
  readonly logger?: Logger;
  /** Chooses the worker that the first pick of a store begins with. @default always the first one */
  readonly random?: () => number;
}

export interface CompleteComponents extends Required<Omit<RegistryComponents, 'random'>> {
  readonly random: (() => number) | undefined;
}

export interface RegistryOptions {
  /** This node; workers with this `nodeId` are local. @default none: no worker is local */
  readonly nodeId?: string;
  /** @default 'local-first' */
  readonly policy?: RegistryPolicy;
  /** Failures in a row after which a worker is ejected. @default 3 */
  readonly maxFailures?: number;
  /** How long a first ejection lasts; each that follows soon is twice as long. @default 1 000 */
  readonly ejectBaseMs?: number;
  /** No ejection is longer. @default 60 000 */
  readonly ejectMaxMs?: number;
  /** How long a worker has to answer a probe. @default 2 000 */
  readonly probeTimeoutMs?: number;
}

export interface CompleteOptions extends Required<Omit<RegistryOptions, 'nodeId'>> {
  readonly nodeId: string | undefined;
}

const REASON = 'registry_options';
const POLICIES: readonly RegistryPolicy[] = ['local-first', 'round-robin'];
const DURATION = { reason: REASON, above: 0, max: MAX_TIMER_MS } as const;

/** @throws `invalid_argument` (reason `registry_options`) */
export function completeOptions(options: RegistryOptions): CompleteOptions {
  return Object.freeze({
    nodeId: options.nodeId,
    policy: requireOneOf('policy', options.policy ?? 'local-first', POLICIES, { reason: REASON }),
    maxFailures: requireInteger('maxFailures', options.maxFailures ?? 3, { reason: REASON, min: 1 }),
    ejectBaseMs: requireNumber('ejectBaseMs', options.ejectBaseMs ?? 1_000, DURATION),
    ejectMaxMs: requireNumber('ejectMaxMs', options.ejectMaxMs ?? 60_000, DURATION),
    probeTimeoutMs: requireNumber('probeTimeoutMs', options.probeTimeoutMs ?? 2_000, DURATION),
  });
}

export function completeComponents(components: RegistryComponents): CompleteComponents {
  const { clock = systemClock, logger = silentLogger, random } = components;
  return Object.freeze({ clock, logger, random });
}
