import { textArgument } from '../arguments.ts';
import { isNormalResource, normalizeResource } from './resource.ts';
import { unauthorized } from './token-error.ts';

/** What a token allows: an action on a resource, or on all that begin alike. */
export interface Grant {
  /** In normal form; a trailing `*` matches any rest. */
  readonly with: string;
  /** `ns/verb`, `ns/*` or `*`. */
  readonly can: string;
}

const ACTION = /^(?:\*|[a-z][a-z0-9-]{0,63}\/(?:\*|[a-z][a-z0-9-]{0,63}))$/;

/** True for `ns/verb`, `ns/*` and `*`. Verbs of later versions are accepted: they grant nothing here. */
export function isAction(action: unknown): action is string {
  return typeof action === 'string' && ACTION.test(action);
}

function coversText(parent: string, child: string): boolean {
  return parent === child || (parent.endsWith('*') && child.startsWith(parent.slice(0, -1)));
}

/** True when every resource that `child` names or matches is one of `parent`'s. False for what is no normal form. */
export function coversResource(parent: string, child: string): boolean {
  return isNormalResource(parent) && isNormalResource(child) && coversText(parent, child);
}

/** True when every action that `child` allows is one of `parent`'s. False for what is no action. */
export function coversAction(parent: string, child: string): boolean {
  return isAction(parent) && isAction(child) && coversText(parent, child);
}

/**
 * True when all that `child` allows, `parent` allows. Reflexive and transitive. Linear in the lengths.
 *
 * The trailing `*` is the only one in a normal form, so that "begins with" is enough to be sound.
 */
export function covers(parent: Grant, child: Grant): boolean {
  return coversAction(parent.can, child.can) && coversResource(parent.with, child.with);
}

/** The same for grants of tokens that were parsed, whose form is known to be normal. */
export function coversParsed(parent: Grant, child: Grant): boolean {
  return coversText(parent.can, child.can) && coversText(parent.with, child.with);
}

/** True when one of the grants covers the action on the resource. @throws as `authorize` */
export function isGranted(grants: readonly Grant[], resource: string, action: string): boolean {
  if (!isAction(action)) {
    throw unauthorized('invalid_action', 'not an action; expected "<kind>/<verb>", "<kind>/*" or "*"');
  }
  const wanted: Grant = { with: normalizeResource(resource), can: action };
  return grants.some((grant) => coversParsed(grant, wanted));
}

/** Anything with grants: a verified token. */
export interface Authority {
  readonly att: readonly Grant[];
}

/**
 * Lets the action on the resource pass, or throws.
 *
 * @throws `unauthorized` with reason `insufficient_permissions`, `invalid_resource` or `invalid_action`
 */
export function authorize(authority: Authority, resource: string, action: string): void {
  textArgument(resource, 'the resource');
  if (!isGranted(authority.att, resource, action)) {
    throw unauthorized('insufficient_permissions', `no grant covers "${action}" on "${resource}"`);
  }
}

/** The items that the action may be done on, in their order: lists are filtered by grants. */
export function filterGranted<Item>(
  authority: Authority,
  items: readonly Item[],
  resourceOf: (item: Item) => string,
  action: string,
): Item[] {
  return items.filter((item) => isGranted(authority.att, resourceOf(item), action));
}
