import { textArgument } from '../arguments.ts';
import { isNormalResource, normalizeResource } from './resource.ts';
import { unauthorized } from './token-error.ts';

/** Allows an action on a resource, or on all resources with the same beginning. */
export interface Grant {
  /** In normal form; a trailing `*` matches any rest. */
  readonly with: string;
  /** `ns/verb`, `ns/*` or `*`. */
  readonly can: string;
}

const ACTION = /^(?:\*|[a-z][a-z0-9-]{0,63}\/(?:\*|[a-z][a-z0-9-]{0,63}))$/;

/** Returns true for `ns/verb`, `ns/*` and `*`. Unknown verbs are accepted, so that later versions can add some. */
export function isAction(action: unknown): action is string {
  return typeof action === 'string' && ACTION.test(action);
}

function coversText(parent: string, child: string): boolean {
  return parent === child || (parent.endsWith('*') && child.startsWith(parent.slice(0, -1)));
}

/** Returns true when `parent` matches every resource that `child` matches. Both must be in normal form. */
export function coversResource(parent: string, child: string): boolean {
  return isNormalResource(parent) && isNormalResource(child) && coversText(parent, child);
}

/** Returns true when `parent` allows every action that `child` allows. Both must be actions. */
export function coversAction(parent: string, child: string): boolean {
  return isAction(parent) && isAction(child) && coversText(parent, child);
}

/**
 * Returns true when `parent` allows everything that `child` allows. Reflexive and transitive. Linear in the lengths.
 *
 * A normal form has at most one `*`, at its end, so that a comparison of prefixes is sound.
 */
export function covers(parent: Grant, child: Grant): boolean {
  return coversAction(parent.can, child.can) && coversResource(parent.with, child.with);
}

/** Does the same as `covers` for grants of parsed tokens, which are in normal form. */
export function coversParsed(parent: Grant, child: Grant): boolean {
  return coversText(parent.can, child.can) && coversText(parent.with, child.with);
}

/** Returns true when one of the grants covers the action on the resource. @throws as `authorize` */
export function isGranted(grants: readonly Grant[], resource: string, action: string): boolean {
  if (!isAction(action)) {
    throw unauthorized('invalid_action', 'the action must be "<kind>/<verb>", "<kind>/*" or "*"');
  }
  const wanted: Grant = { with: normalizeResource(resource), can: action };
  return grants.some((grant) => coversParsed(grant, wanted));
}

/** Anything with grants, such as a verified token. */
export interface Authority {
  readonly att: readonly Grant[];
}

/**
 * Throws unless a grant covers the action on the resource.
 *
 * @throws `unauthorized` with reason `insufficient_permissions`, `invalid_resource` or `invalid_action`
 */
export function authorize(authority: Authority, resource: string, action: string): void {
  textArgument(resource, 'the resource');
  if (!isGranted(authority.att, resource, action)) {
    throw unauthorized('insufficient_permissions', `no grant covers "${action}" on "${resource}"`);
  }
}

/** Returns the items on which the grants allow the action, in their order. */
export function filterGranted<Item>(
  authority: Authority,
  items: readonly Item[],
  resourceOf: (item: Item) => string,
  action: string,
): Item[] {
  return items.filter((item) => isGranted(authority.att, resourceOf(item), action));
}
