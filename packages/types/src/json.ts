/** Any JSON value. `undefined` never is one: an absent member is absent. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** A JSON object. Member names such as `__proto__` are names like any other. */
export interface JsonObject {
  readonly [name: string]: JsonValue;
}

/** A JSON value as the text that it is sent as: whoever encodes a message that contains it inserts the text unchanged. */
export class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}
