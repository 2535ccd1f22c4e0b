import {
  type CallOptions,
  factsOf,
  isMethodName,
  METHOD_NAMES,
  type Peer,
  validateResult,
} from '@esdb-gater/protocol';
import {
  type CallContext,
  type Clock,
  GaterError,
  type StoreMethod,
  type StoreParamsOf,
  type StoreResultOf,
  type StoreWorker,
  systemClock,
} from '@esdb-gater/types';
import { checkAnswer } from './check-answer.ts';

/** The methods that every worker serves, without naming them. */
export const REQUIRED_METHODS: readonly string[] = Object.freeze(
  METHOD_NAMES.filter((method) => factsOf(method).worker === 'required'),
);

export interface RemoteWorkerOptions {
  /** The connection to the worker. Its calls must settle at their `timeoutMs`, and when their signal aborts. */
  readonly peer: Pick<Peer, 'call'>;
  /** Is sent with the parameters of each call, such as the name of the worker. */
  readonly address?: Readonly<Record<string, string>>;
  readonly storeId: string;
  /** Absent when the worker did not name it: then it is the store's only one. */
  readonly storeUuid?: string;
  readonly workerId: string;
  /** The node that the worker runs on or is connected to. */
  readonly nodeId: string;
  /** @default the Unix time in milliseconds */
  readonly incarnation?: number;
  /** Unix milliseconds. @default now */
  readonly registeredAt?: number;
  /** The methods that the worker serves besides {@link REQUIRED_METHODS}. */
  readonly methods?: readonly string[];
  /** True when its node keeps the persistent subscriptions of the store with its events. @default false */
  readonly keepsSubscriptions?: boolean;
  /** Time limit of a call without a deadline. @default 5 000 */
  readonly deadlineMs?: number;
  readonly clock?: Clock;
}

/** A worker in another process. */
export interface RemoteWorker extends StoreWorker {
  onCommitted(listener: (position: number) => void): () => void;
  /** The worker's notification `committed`. A position that is not above the last one is dropped. */
  committed(position: number): void;
  /** The notification may have been missed: calls the listeners with position 0. */
  missed(): void;
}

/**
 * Makes a worker of a connection. A call is sent with the caller's parameters less `token`, plus `deadlineMs`. Checks
 * each answer against the protocol and the call's parameters, since the worker may be any program.
 *
 * `call` throws what the worker answers; `unavailable` when the connection is gone; `timeout` at the deadline;
 * `internal` for an answer that the protocol does not allow, or that does not fit the call; the signal's reason.
 */
export function createRemoteWorker(options: RemoteWorkerOptions): RemoteWorker {
  return new PeerWorker(options);
}

class PeerWorker implements RemoteWorker {
  readonly storeId: string;
  readonly storeUuid?: string;
  readonly workerId: string;
  readonly nodeId: string;
  readonly incarnation: number;
  readonly registeredAt: number;
  readonly methods: readonly string[];
  readonly keepsSubscriptions?: boolean;
  readonly endsInTime = true;
  readonly #peer: Pick<Peer, 'call'>;
  readonly #address: Readonly<Record<string, string>> | undefined;
  readonly #deadlineMs: number;
  readonly #listeners = new Set<(position: number) => void>();
  #position = 0;

  constructor(options: RemoteWorkerOptions) {
    const { clock = systemClock } = options;
    this.storeId = options.storeId;
    if (options.storeUuid !== undefined) this.storeUuid = options.storeUuid;
    this.workerId = options.workerId;
    this.nodeId = options.nodeId;
    this.registeredAt = options.registeredAt ?? clock.now();
    this.incarnation = options.incarnation ?? this.registeredAt;
    this.methods = Object.freeze([...new Set([...REQUIRED_METHODS, ...(options.methods ?? [])])]);
    if (options.keepsSubscriptions === true) this.keepsSubscriptions = true;
    this.#peer = options.peer;
    this.#address = options.address;
    this.#deadlineMs = options.deadlineMs ?? 5_000;
  }

  async call<M extends StoreMethod>(
    method: M,
    params: StoreParamsOf<M>,
    context: CallContext = {},
  ): Promise<StoreResultOf<M>> {
    const { signal, deadlineMs = this.#deadlineMs, traceparent, tracestate } = context;
    // A query needs a worker that serves `queryEvents`.
    const asked = method === 'readAll' && hasQuery(params) && this.methods.includes('queryEvents');
    // A whole number of milliseconds, as other languages read it, and never none at all.
    const timeoutMs = Math.max(1, Math.floor(deadlineMs));
    const sent: { token?: unknown; deadlineMs: number } = {
      ...params,
      deadlineMs: timeoutMs,
      ...this.#address,
    };
    if (sent.token !== undefined) delete sent.token;
    const options: { -readonly [Member in keyof CallOptions]: CallOptions[Member] } = { timeoutMs };
    if (signal !== undefined) options.signal = signal;
    if (traceparent !== undefined) options.traceparent = traceparent;
    if (tracestate !== undefined) options.tracestate = tracestate;
    let result: unknown;
    try {
      result = await this.#peer.call(asked ? 'queryEvents' : method, sent, options);
    } catch (error) {
      if (signal?.aborted === true || GaterError.is(error)) throw error;
      const { storeId, workerId } = this;
      throw new GaterError('unavailable', `the worker ${workerId} of store ${storeId} cannot be reached`, {
        details: { storeId, workerId },
        cause: error,
      });
    }
    // The probe asks whether there is an answer, not which.
    if (method === 'quickHealthCheck' || !isMethodName(method)) return result;
    const valid = validateResult(method, result) as StoreResultOf<M>;
    checkAnswer(method, params, valid);
    return valid;
  }

  onCommitted(listener: (position: number) => void): () => void {
    // A new function for each call: the same listener may be added twice, and each registration is removed separately.
    const own = (position: number): void => listener(position);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  committed(position: number): void {
    if (!Number.isSafeInteger(position) || position <= this.#position) return;
    this.#position = position;
    for (const listener of this.#listeners) listener(position);
  }

  missed(): void {
    for (const listener of this.#listeners) listener(0);
  }
}

function hasQuery(params: object): boolean {
  return 'query' in params && params.query !== undefined;
}
