import type { JsonValue } from '@esdb-gater/types';

export interface AuthenticateParams {
  readonly token: string;
  /** base64url of the audience's Ed25519 signature over the gateway's DID and the nonce of `hello`. */
  readonly proof?: string;
}

export interface AuthenticateResult {
  readonly audience: string;
  /** Unix seconds. */
  readonly expiresAt: number;
  readonly att: readonly { readonly with: string; readonly can: string }[];
}

export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy';

export interface HealthReason {
  readonly component: string;
  readonly code: string;
  readonly message: string;
}

export interface StoreHealth {
  readonly status: HealthStatus;
  /** Those that answered. */
  readonly workers: readonly { readonly workerId: string; readonly nodeId: string }[];
}

export interface HealthResult {
  readonly status: HealthStatus;
  readonly reasons: readonly HealthReason[];
  readonly stores: Readonly<Record<string, StoreHealth>>;
  readonly nodes: readonly { readonly nodeId: string; readonly url: string; readonly status: string }[];
}

/** A live node of a cluster, as the gateway that is asked sees it. */
export interface NodeInfo {
  readonly nodeId: string;
  readonly url: string;
  /** `alive`, or `suspected`: it does not answer and is removed soon. */
  readonly status: string;
  readonly incarnation: number;
  /** True for the gateway that is asked. */
  readonly self: boolean;
  /** How far its clock is ahead, where that was measured. */
  readonly clockOffsetMs?: number;
  /** How many workers it serves. */
  readonly workers: number;
}

/** A registered worker, live or not. */
export interface WorkerDetails {
  readonly storeId: string;
  readonly workerId: string;
  readonly nodeId: string;
  readonly incarnation: number;
  /** ISO 8601. */
  readonly registeredAt: string;
  readonly methods: readonly string[];
  /** `live`, or `ejected`: it failed, and gets no calls until a probe succeeds. */
  readonly status: string;
  /** In a row. */
  readonly failures: number;
  /** How long the ejection lasts that it is in; absent while it is live. */
  readonly ejectedForMs?: number;
}

/** How the calls of a store are doing on the gateway that is asked. */
export interface StoreCircuit {
  readonly storeId: string;
  /**
   * `closed`: calls reach a worker. `open`: none is live, and calls end with `no_workers`. `half-open`: as open, while a
   * probe waits for the answer of a worker.
   */
  readonly circuit: string;
  /** How many retries its calls may use now. */
  readonly retriesLeft?: number;
}

export interface ClusterInfo {
  readonly nodes: readonly NodeInfo[];
  readonly workers: readonly WorkerDetails[];
  readonly stores: readonly StoreCircuit[];
}

export interface RegisterWorkerParams {
  readonly storeId: string;
  /** Made with the database; without it this is the store's only worker. */
  readonly storeUuid?: string;
  /** @default made by the gateway */
  readonly workerId?: string;
  /** What is served beyond what must be. */
  readonly methods?: readonly string[];
}

export interface UnregisterWorkerParams {
  readonly storeId: string;
  readonly workerId?: string;
}

/** Either `cid` or `iss`. */
export interface RevokeTokenParams {
  /** The id of a token. */
  readonly cid?: string;
  /** An issuer. */
  readonly iss?: string;
  /** Who revokes, a DID. */
  readonly by: string;
  /** When, in the form that the proof was made over. */
  readonly at: JsonValue;
  readonly reason?: string;
  readonly proof: string;
}
