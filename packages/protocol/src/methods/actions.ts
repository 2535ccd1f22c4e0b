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
 * One permission that a call needs.
 *
 * With `filtered` the answer is a list, and holds what the grants cover; only whom none lets see anything is refused.
 */
export interface Requirement {
  readonly action: Action;
  readonly target: Target;
  readonly filtered?: true;
}

export function streamNeeds(
  action: 'stream/append' | 'stream/read' | 'stream/delete',
  storeId: string,
  streamId: string,
): Requirement {
  return { action, target: { kind: 'stream', storeId, streamId } };
}

/** `stream/read` on the whole store. */
export function storeNeeds(storeId: string): Requirement {
  return { action: 'stream/read', target: { kind: 'store', storeId } };
}
