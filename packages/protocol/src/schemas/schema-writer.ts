import type { JsonObject, JsonValue } from '@esdb-gater/types';
import { type Schema, VALUES, VARIANTS, type Variant } from './schema-kit.ts';

/** Writes schemas of the protocol as plain JSON Schema 2020-12, for descriptions such as OpenAPI. */
export interface SchemaWriter {
  /** Returns a schema. What has a title is written once, among the components, and referred to. */
  write(schema: Schema<unknown> | object): JsonObject;
  /** Returns the members of an object's schema with what it requires, without a reference to the whole. */
  members(schema: Schema<unknown>): {
    readonly properties: Readonly<Record<string, JsonObject>>;
    readonly required: readonly string[];
  };
  /** Returns the forms that an object may have, each as a component; empty when there is only one. */
  variants(schema: Schema<unknown>, without?: readonly string[]): readonly JsonObject[];
  /** The components that were referred to so far, by their titles. */
  readonly components: Readonly<Record<string, JsonObject>>;
}

/** Keywords that hold schemas by name. */
const NAMED = new Set(['properties', '$defs', 'patternProperties']);

/** Descriptions that say no more than the type does. */
const EMPTY_DESCRIPTIONS = new Set<unknown>([
  'a string',
  'an object',
  'an array',
  'a number',
  'true or false',
]);

type Keywords = Readonly<Record<string, unknown>>;

/**
 * Creates a writer.
 *
 * @param prefix precedes the title in references
 */
export function createSchemaWriter(prefix: string = '#/components/schemas/'): SchemaWriter {
  const components: Record<string, JsonObject> = {};

  function write(schema: object): JsonObject {
    const { title, ...rest } = schema as Keywords;
    if (typeof title !== 'string') return component(rest);
    // The place is taken first, as a schema may refer to itself.
    if (!Object.hasOwn(components, title)) {
      components[title] = {};
      components[title] = { ...component(schema as Keywords) };
    }
    return { $ref: `${prefix}${title}` };
  }

  function component(schema: Keywords): JsonObject {
    const { title, description } = schema;
    const forms = variants(schema);
    const named = typeof title === 'string' && { title };
    if (forms.length === 0) return { ...named, ...plain(withoutTitle(schema)) };
    return {
      ...named,
      ...(typeof description === 'string' && { description }),
      anyOf: [...forms],
    };
  }

  function variants(schema: object, without: readonly string[] = []): readonly JsonObject[] {
    const { [VARIANTS]: forms = [], ...rest } = schema as Keywords & {
      readonly [VARIANTS]?: readonly Variant[];
    };
    return forms.map((form) => write(narrowed(rest, form, without)));
  }

  function plain(schema: Keywords): JsonObject {
    const result: Record<string, JsonValue> = {};
    for (const [key, value] of Object.entries(schema)) {
      if (key === VARIANTS || (key === 'description' && EMPTY_DESCRIPTIONS.has(value))) continue;
      if (key === VALUES) result['enum'] = value as JsonValue;
      else if (NAMED.has(key)) result[key] = mapValues(value as Keywords);
      else result[key] = converted(value);
    }
    return result;
  }

  function converted(value: unknown): JsonValue {
    if (Array.isArray(value)) return value.map(converted);
    return typeof value === 'object' && value !== null ? write(value) : (value as JsonValue);
  }

  const mapValues = (values: Keywords): Record<string, JsonObject> =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, write(value as object)]));

  return {
    components,
    write,
    variants,
    members(schema) {
      const { properties = {}, required = [] } = schema as unknown as {
        readonly properties?: Keywords;
        readonly required?: readonly string[];
      };
      return { properties: mapValues(properties), required };
    },
  };
}

function withoutTitle({ title: _, ...rest }: Keywords): Keywords {
  return rest;
}

/** Returns the schema of one form of an object. */
function narrowed(schema: Keywords, form: Variant, left: readonly string[]): Keywords {
  const { title, required, without = [], members = {} } = form;
  const properties = Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, object>>)
    .filter(([name]) => !without.includes(name) && !left.includes(name))
    .map(([name, member]) => [name, { ...member, ...narrowing(members[name]) }] as const);
  const all = [...((schema['required'] ?? []) as readonly string[]), ...required];
  return {
    ...schema,
    title,
    properties: Object.fromEntries(properties),
    required: [...new Set(all)].filter((name) => !left.includes(name)),
  };
}

/** A narrower schema replaces the one that it narrows, whose title does not name it. */
function narrowing(keywords: object | undefined): Keywords {
  return keywords === undefined ? {} : { title: undefined, ...keywords };
}
