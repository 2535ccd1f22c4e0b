/** Any JSON value. `undefined` never is one: an absent member is absent. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** A JSON object. Member names such as `__proto__` are names like any other. */
export interface JsonObject {
  readonly [name: string]: JsonValue;
}
