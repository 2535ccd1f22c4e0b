import { invalidArgument } from '@esdb-gater/types';
import type {
  AuthenticateResult,
  ClusterInfo,
  HealthReason,
  HealthResult,
  HealthStatus,
  NodeInfo,
  StoreCircuit,
  StoreHealth,
  WorkerDetails,
} from '../methods/gateway-types.ts';
import type { ParamsOf, ResultOf } from '../methods/method-types.ts';
import { DID_PATTERN } from './did-pattern.ts';
import { empty, name, storeId, time } from './leaf-schemas.ts';
import {
  anyText,
  array,
  boolean,
  dictionary,
  integer,
  json,
  number,
  object,
  oneOf,
  optional,
  type Schema,
  type SchemasOf,
} from './schema-kit.ts';

const status: Schema<HealthStatus> = oneOf(['healthy', 'degraded', 'unhealthy']);

const storeHealth: Schema<StoreHealth> = object<StoreHealth>(
  {
    status,
    workers: array(
      object<StoreHealth['workers'][number]>({ workerId: anyText(), nodeId: anyText() }, { open: true }),
    ),
  },
  { open: true, title: 'StoreHealth' },
);

const nodeInfo: Schema<NodeInfo> = object<NodeInfo>(
  {
    nodeId: anyText(),
    url: anyText(),
    status: anyText(),
    incarnation: integer(0),
    self: boolean(),
    clockOffsetMs: optional(number()),
    workers: integer(0),
  },
  { open: true },
);

const workerDetails: Schema<WorkerDetails> = object<WorkerDetails>(
  {
    storeId: anyText(),
    workerId: anyText(),
    nodeId: anyText(),
    incarnation: integer(0),
    registeredAt: anyText(),
    methods: array(anyText()),
    status: anyText(),
    failures: integer(0),
    ejectedForMs: optional(integer(0)),
  },
  { open: true },
);

const storeCircuit: Schema<StoreCircuit> = object<StoreCircuit>(
  { storeId: anyText(), circuit: anyText(), retriesLeft: optional(integer(0)) },
  { open: true },
);
/** When something was revoked, for readers; `verifyRevocation` decides. */
const at = {
  anyOf: [integer(0), time],
  description: 'when, in Unix seconds or as in RFC 3339, in the form that the proof was made over',
} as const;

/** What is answered by the gateway itself. */
export const GATEWAY_SCHEMAS: SchemasOf<
  | 'authenticate'
  | 'health'
  | 'clusterInfo'
  | 'quickHealthCheck'
  | 'registerWorker'
  | 'unregisterWorker'
  | 'revokeToken'
> = {
  authenticate: {
    summary: 'Gives this connection a capability token.',
    params: object<ParamsOf<'authenticate'>>({
      token: anyText('a token'),
      proof: optional(anyText('a proof')),
    }),
    result: object<ResultOf<'authenticate'>>(
      {
        audience: anyText(),
        expiresAt: integer(0),
        att: array(
          object<AuthenticateResult['att'][number]>({ with: anyText(), can: anyText() }, { open: true }),
        ),
      },
      { open: true },
    ),
  },
  health: {
    summary: 'How the gateway, its stores and its nodes do; the workers are asked.',
    params: empty,
    result: object<ResultOf<'health'>>(
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
      { open: true, title: 'Health' },
    ),
  },
  clusterInfo: {
    summary: 'The live nodes, and all workers with their state, as this gateway sees them.',
    params: empty,
    result: object<ClusterInfo>(
      { nodes: array(nodeInfo), workers: array(workerDetails), stores: array(storeCircuit) },
      { open: true },
    ),
  },
  quickHealthCheck: {
    summary: 'How many live workers a store has, on all nodes.',
    params: object<ParamsOf<'quickHealthCheck'>>({ storeId }),
    result: object<ResultOf<'quickHealthCheck'>>({ workers: integer(0) }, { open: true }),
  },
  registerWorker: {
    summary: 'Serves a store through this connection.',
    params: object<ParamsOf<'registerWorker'>>({
      storeId,
      storeUuid: optional(name('an id', 'store_uuid')),
      workerId: optional(name('an id', 'worker_id')),
      methods: optional(
        array(anyText('a method name'), { max: 100, description: 'at most 100 method names' }),
      ),
    }),
    result: object<ResultOf<'registerWorker'>>({ workerId: anyText(), nodeId: anyText() }, { open: true }),
  },
  unregisterWorker: {
    summary: 'Ends the serving of a store through this connection.',
    params: object<ParamsOf<'unregisterWorker'>>({ storeId, workerId: optional(name('an id', 'worker_id')) }),
    result: object<ResultOf<'unregisterWorker'>>({ removed: boolean() }, { open: true }),
  },
  revokeToken: {
    summary: 'Publishes a revocation, which counts by its proof.',
    params: object<ParamsOf<'revokeToken'>>(
      {
        cid: optional(anyText('the id of a token', { pattern: '^bafkrei[a-z2-7]{52}$' })),
        iss: optional(anyText('a DID', { pattern: DID_PATTERN })),
        by: anyText('a DID', { pattern: DID_PATTERN }),
        at: json(),
        reason: optional(anyText('why', { maxLength: 1_024 })),
        proof: anyText('a proof', { pattern: '^[A-Za-z0-9_-]{85}[AQgw]$' }),
      },
      {
        title: 'Revocation',
        variants: [
          { title: 'RevocationOfToken', required: ['cid'], without: ['iss'], members: { at } },
          { title: 'RevocationOfIssuer', required: ['iss'], without: ['cid'], members: { at } },
        ],
      },
    ),
    result: object<ResultOf<'revokeToken'>>({ id: anyText() }, { open: true }),
    check: (params) => {
      if ((params.cid === undefined) !== (params.iss === undefined)) return;
      throw invalidArgument('schema', 'expected either `cid` or `iss`', { path: '' });
    },
  },
};
