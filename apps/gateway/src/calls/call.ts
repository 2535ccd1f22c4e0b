import type { VerifiedGrant } from '../security/grants.ts';

/** Who calls, by whatever door. */
export interface Caller {
  /** The remote address. */
  readonly address: string;
  /** True when the call comes from this machine. */
  readonly loopback: boolean;
}

/** One call, apart from its method and parameters. */
export interface Call {
  readonly caller: Caller;
  /** The token in force: the call's own, else the connection's. */
  readonly grant?: VerifiedGrant;
  readonly signal?: AbortSignal;
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/** Answers a method that needs no connection of its own. Parameters are valid and permitted. */
export type Handler = (params: never, call: Call) => Promise<unknown> | unknown;
