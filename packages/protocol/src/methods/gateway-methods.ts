import { invalidArgument, type JsonValue } from '@esdb-gater/types';
import { empty, name, storeId } from '../schemas/leaf-schemas.ts';
import {
  anyText,
  array,
  boolean,
  dictionary,
  integer,
  json,
  object,
  oneOf,
  optional,
  type Schema,
} from '../schemas/schema-kit.ts';
import { type MethodSpec, nothing } from './method-spec.ts';

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

const status: Schema<HealthStatus> = oneOf(['healthy', 'degraded', 'unhealthy']);

const storeHealth: Schema<StoreHealth> = object<StoreHealth>(
  {
    status,
    workers: array(
      object<StoreHealth['workers'][number]>({ workerId: anyText(), nodeId: anyText() }, { open: true }),
    ),
  },
  { open: true },
);

/** What is answered by the gateway itself. */
export const GATEWAY_METHODS: {
  readonly authenticate: MethodSpec<AuthenticateParams, AuthenticateResult>;
  readonly health: MethodSpec<Record<string, never>, HealthResult>;
  readonly quickHealthCheck: MethodSpec<{ readonly storeId: string }, { readonly workers: number }>;
  readonly registerWorker: MethodSpec<
    RegisterWorkerParams,
    { readonly workerId: string; readonly nodeId: string }
  >;
  readonly unregisterWorker: MethodSpec<UnregisterWorkerParams, { readonly removed: boolean }>;
  readonly revokeToken: MethodSpec<RevokeTokenParams, { readonly id: string }>;
} = {
  authenticate: {
    summary: 'Gives this connection a capability token.',
    servedBy: 'connection',
    worker: 'never',
    params: object<AuthenticateParams>({ token: anyText('a token'), proof: optional(anyText('a proof')) }),
    result: object<AuthenticateResult>(
      {
        audience: anyText(),
        expiresAt: integer(0),
        att: array(
          object<AuthenticateResult['att'][number]>({ with: anyText(), can: anyText() }, { open: true }),
        ),
      },
      { open: true },
    ),
    requires: nothing,
  },
  health: {
    summary: 'How the gateway, its stores and its nodes do; the workers are asked.',
    servedBy: 'gateway',
    worker: 'never',
    params: empty,
    result: object<HealthResult>(
      {
        status,
        reasons: array(
          object<HealthReason>({ component: anyText(), code: anyText(), message: anyText() }, { open: true }),
        ),
        stores: dictionary(storeHealth, 'by store id'),
        nodes: array(
          object<HealthResult['nodes'][number]>(
            { nodeId: anyText(), url: anyText(), status: anyText() },
            { open: true },
          ),
        ),
      },
      { open: true },
    ),
    requires: nothing,
  },
  quickHealthCheck: {
    summary: 'How many live workers a store has, on all nodes.',
    servedBy: 'gateway',
    worker: 'required',
    params: object<{ readonly storeId: string }>({ storeId }),
    result: object<{ readonly workers: number }>({ workers: integer(0) }, { open: true }),
    requires: nothing,
  },
  registerWorker: {
    summary: 'Serves a store through this connection.',
    servedBy: 'connection',
    worker: 'never',
    params: object<RegisterWorkerParams>({
      storeId,
      storeUuid: optional(name('an id', 'store_uuid')),
      workerId: optional(name('an id', 'worker_id')),
      methods: optional(
        array(anyText('a method name'), { max: 100, description: 'at most 100 method names' }),
      ),
    }),
    result: object<{ readonly workerId: string; readonly nodeId: string }>(
      { workerId: anyText(), nodeId: anyText() },
      { open: true },
    ),
    requires: (params) => [
      { action: 'worker/register', target: { kind: 'worker', storeId: params.storeId } },
    ],
  },
  unregisterWorker: {
    summary: 'Ends the serving of a store through this connection.',
    servedBy: 'connection',
    worker: 'never',
    params: object<UnregisterWorkerParams>({ storeId, workerId: optional(name('an id', 'worker_id')) }),
    result: object<{ readonly removed: boolean }>({ removed: boolean() }, { open: true }),
    requires: (params) => [
      { action: 'worker/register', target: { kind: 'worker', storeId: params.storeId } },
    ],
  },
  revokeToken: {
    summary: 'Publishes a revocation, which counts by its proof.',
    servedBy: 'gateway',
    worker: 'never',
    params: object<RevokeTokenParams>({
      cid: optional(anyText('the id of a token')),
      iss: optional(anyText('a DID')),
      by: anyText('a DID'),
      at: json(),
      reason: optional(anyText()),
      proof: anyText('a proof'),
    }),
    result: object<{ readonly id: string }>({ id: anyText() }, { open: true }),
    requires: nothing,
    check: (params) => {
      if ((params.cid === undefined) !== (params.iss === undefined)) return;
      throw invalidArgument('schema', 'expected either `cid` or `iss`', { path: '' });
    },
  },
};
