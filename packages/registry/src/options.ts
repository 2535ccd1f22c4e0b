import { type Clock, invalidArgument, type Logger, silentLogger, systemClock } from '@esdb-gater/types';

/** Which of a store's live workers are asked: those of this node as long as there is one, or all. */
export type RegistryPolicy = 'local-first' | 'round-robin';

export interface RegistryComponents {
  /** @default the platform's */
  readonly clock?: Clock;
  /** @default silent */
  readonly logger?: Logger;
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

/** @throws `invalid_argument` (reason `registry_options`) */
export function completeOptions(options: RegistryOptions): CompleteOptions {
  const { policy = 'local-first', maxFailures = 3 } = options;
  if (policy !== 'local-first' && policy !== 'round-robin') {
    throw refused('policy', policy, '"local-first" or "round-robin"');
  }
  if (!Number.isSafeInteger(maxFailures) || maxFailures < 1) {
    throw refused('maxFailures', maxFailures, 'an integer of at least 1');
  }
  return Object.freeze({
    nodeId: options.nodeId,
    policy,
    maxFailures,
    ejectBaseMs: duration('ejectBaseMs', options.ejectBaseMs ?? 1_000),
    ejectMaxMs: duration('ejectMaxMs', options.ejectMaxMs ?? 60_000),
    probeTimeoutMs: duration('probeTimeoutMs', options.probeTimeoutMs ?? 2_000),
  });
}

export function completeComponents(components: RegistryComponents): Required<RegistryComponents> {
  const { clock = systemClock, logger = silentLogger } = components;
  return Object.freeze({ clock, logger });
}

function duration(name: string, value: number): number {
  if (value > 0 && value <= 2_147_483_647) return value;
  throw refused(name, value, 'a number above 0 and up to 2147483647');
}

function refused(name: string, value: unknown, expected: string): Error {
  const message = `${name} is ${String(value)}, expected ${expected}`;
  return invalidArgument('registry_options', message, { member: name, expected });
}
