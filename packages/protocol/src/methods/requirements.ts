import type { StreamAppend } from '@esdb-gater/types';
import { factsOf, type MethodName } from './method-table.ts';
import type { ParamsOf } from './method-types.ts';

/** What a grant can allow. */
export type Action =
  | 'stream/append'
  | 'stream/read'
  | 'stream/delete'
  | 'subscription/create'
  | 'subscription/delete'
  | 'subscription/list'
  | 'snapshot/write'
  | 'snapshot/read'
  | 'snapshot/delete'
  | 'channel/publish'
  | 'channel/subscribe'
  | 'worker/register';

/** What an action is done to. `store` is every stream of a store, `esdb://<realm>/stream/<storeId>/*`. */
export type Target =
  | { readonly kind: 'stream'; readonly storeId: string; readonly streamId: string }
  | { readonly kind: 'store'; readonly storeId: string }
  | { readonly kind: 'snapshot'; readonly storeId: string; readonly streamUuid: string }
  | { readonly kind: 'subscription'; readonly storeId: string; readonly name: string }
  | { readonly kind: 'subscriptions'; readonly storeId: string }
  | { readonly kind: 'channel'; readonly channel: string; readonly topic: string }
  | { readonly kind: 'worker'; readonly storeId: string };

/**
 * What the parameters of a method name as its target: one of the targets, each stream of an `appendToStreams`, or a
 * stream where one is given and else the whole store.
 */
export type TargetKind = Target['kind'] | 'streams' | 'stream-or-store';

/**
 * One permission that a call needs.
 *
 * With `filtered` the answer is a list, and holds what the grants cover; only whom none lets see anything is refused.
 */
export interface Requirement {
  readonly action: Action;
  readonly target: Target;
  readonly filtered?: true;
}

/** The members by which parameters say what a call is about. Each kind of target has its own of them. */
interface Subject {
  readonly storeId: string;
  readonly streamId: string;
  readonly streamUuid: string;
  readonly name: string;
  readonly channel: string;
  readonly topic: string;
  readonly appends: readonly StreamAppend[];
  readonly condition?: unknown;
  readonly type?: string;
  readonly selector?: unknown;
}

const TARGETS: { readonly [K in TargetKind]: (subject: Subject) => readonly Target[] } = {
  stream: ({ storeId, streamId }) => [{ kind: 'stream', storeId, streamId }],
  streams: ({ storeId, appends }) =>
    appends.map(({ streamId }) => ({ kind: 'stream', storeId, streamId }) as const),
  'stream-or-store': (subject) => TARGETS[subject.streamId === undefined ? 'store' : 'stream'](subject),
  store: ({ storeId }) => [{ kind: 'store', storeId }],
  snapshot: ({ storeId, streamUuid }) => [{ kind: 'snapshot', storeId, streamUuid }],
  subscription: ({ storeId, name }) => [{ kind: 'subscription', storeId, name }],
  subscriptions: ({ storeId }) => [{ kind: 'subscriptions', storeId }],
  channel: ({ channel, topic }) => [{ kind: 'channel', channel, topic }],
  worker: ({ storeId }) => [{ kind: 'worker', storeId }],
};

const ALSO_READ: { readonly [K in 'condition' | 'selector']: (subject: Subject) => readonly Target[] } = {
  condition: ({ storeId, condition }) => (condition === undefined ? [] : [{ kind: 'store', storeId }]),
  // Events of one stream are read by who may read it; anything wider is a read of the whole store.
  selector: ({ storeId, type, selector }) =>
    type === 'stream' && typeof selector === 'string' && selector !== '$all'
      ? [{ kind: 'stream', storeId, streamId: selector }]
      : [{ kind: 'store', storeId }],
};

const NONE: readonly Requirement[] = Object.freeze([]);

/** The permissions that a call needs, by its row and its valid parameters. Empty where it needs none. */
export function requirementsOf<M extends MethodName>(method: M, params: ParamsOf<M>): readonly Requirement[] {
  const { action, target, alsoReads, filtered } = factsOf(method);
  if (action === undefined || target === undefined) return NONE;
  // The parameters of a method have the members of the target that its row names.
  const subject = params as unknown as Subject;
  const needed: Requirement[] = TARGETS[target](subject).map((one) =>
    filtered === undefined ? { action, target: one } : { action, target: one, filtered },
  );
  if (alsoReads === undefined) return needed;
  return needed.concat(
    ALSO_READ[alsoReads](subject).map((one) => ({ action: 'stream/read', target: one }) as const),
  );
}
