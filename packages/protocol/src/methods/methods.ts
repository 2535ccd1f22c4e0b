import { CHANNEL_METHODS } from './channel-methods.ts';
import { GATEWAY_METHODS } from './gateway-methods.ts';
import type { MethodSpec } from './method-spec.ts';
import { SNAPSHOT_METHODS } from './snapshot-methods.ts';
import { STREAM_METHODS } from './stream-methods.ts';
import { SUBSCRIPTION_METHODS } from './subscription-methods.ts';

/** Every method of the protocol by its name. */
export type Methods = typeof STREAM_METHODS &
  typeof SNAPSHOT_METHODS &
  typeof SUBSCRIPTION_METHODS &
  typeof CHANNEL_METHODS &
  typeof GATEWAY_METHODS;

export type MethodName = keyof Methods;

/** The parameters of a method, without `token`, which any call may have and which the session takes out. */
export type ParamsOf<M extends MethodName> =
  Methods[M] extends MethodSpec<infer Params, infer _> ? Params : never;

/** What a method resolves to. */
export type ResultOf<M extends MethodName> =
  Methods[M] extends MethodSpec<infer _, infer Result> ? Result : never;

/** The one table of methods: schemas, permissions and who serves them. */
export const METHODS: Methods = Object.freeze({
  ...STREAM_METHODS,
  ...SNAPSHOT_METHODS,
  ...SUBSCRIPTION_METHODS,
  ...CHANNEL_METHODS,
  ...GATEWAY_METHODS,
});

/** True for a method of the protocol, whether this gateway serves it or not. */
export function isMethodName(value: unknown): value is MethodName {
  return typeof value === 'string' && Object.hasOwn(METHODS, value);
}
