import type { JsonValue } from '@esdb-gater/types';
import { type TObject, type TSchema, Type } from 'typebox';
import { expectedOf } from './expectation.ts';
import { CONFIG_SCHEMA } from './schema.ts';
import { annotationsOf, nonNull, text } from './schema-kit.ts';

/** How the text of a variable or a flag becomes a value. */
type KeyKind = 'string' | 'integer' | 'boolean' | 'list' | 'json' | 'secret';

/** One key of the configuration. */
export interface ConfigKey {
  /** The path in a file, joined by dots. */
  readonly path: string;
  /** The environment variable. */
  readonly env: string;
  /** The flag, without a value. */
  readonly flag: string;
  readonly kind: KeyKind;
  readonly schema: TSchema;
  /** A description of valid values, for errors and the documents. */
  readonly expected: string;
  readonly description: string;
  readonly default: JsonValue;
  /** The meaning of null. */
  readonly whenNull: string | undefined;
  /** True when the value never appears in an error or a log. */
  readonly secret: boolean;
  /** The path of the key whose value is in the file that this key names. */
  readonly twinOf: string | undefined;
}

/** Every key, in the order of the schema. */
export const CONFIG_KEYS: readonly ConfigKey[] = Object.freeze(keysOf(CONFIG_SCHEMA, ''));

function keysOf(section: TObject, prefix: string): ConfigKey[] {
  return Object.entries(section.properties).flatMap(([name, schema]) => {
    const path = prefix + name;
    if (Type.IsObject(schema)) return keysOf(schema, `${path}.`);
    const key = keyOf(path, schema);
    return key.kind === 'secret' ? [key, fileKeyOf(key)] : [key];
  });
}

function keyOf(path: string, schema: TSchema, twinOf?: string): ConfigKey {
  const annotations = annotationsOf(schema);
  return Object.freeze({
    path,
    env: `ESDB_GATER_${words(path).join('_').toUpperCase()}`,
    flag: `--${words(path).join('-')}`,
    kind: kindOf(schema),
    schema,
    expected: expectedOf(schema, path),
    description: annotations.description ?? '',
    default: annotations.default ?? null,
    whenNull: annotations.whenNull,
    secret: holdsSecret(schema),
    twinOf,
  });
}

/** Creates the twin of a secret: a key that names a file with it. */
function fileKeyOf({ path }: ConfigKey): ConfigKey {
  const description = `file that contains ${path}`;
  const schema = text({ expected: 'a file', description });
  return keyOf(`${path}File`, Type.Union([schema, Type.Null()]), path);
}

function kindOf(schema: TSchema): KeyKind {
  if (annotationsOf(schema).secret === true) return 'secret';
  const inner = nonNull(schema);
  if (Type.IsInteger(inner)) return 'integer';
  if (Type.IsBoolean(inner)) return 'boolean';
  if (Type.IsArray(inner)) return 'list';
  return Type.IsRecord(inner) ? 'json' : 'string';
}

function holdsSecret(schema: TSchema): boolean {
  if (annotationsOf(schema).secret === true) return true;
  const inner = nonNull(schema);
  if (Type.IsRecord(inner)) return Object.values(inner.patternProperties).some(holdsSecret);
  return Type.IsObject(inner) && Object.values(inner.properties).some(holdsSecret);
}

/** Splits a path into words: `retry.baseDelayMs` becomes `retry`, `base`, `delay`, `ms`. */
function words(path: string): string[] {
  return path.split('.').flatMap((part) =>
    part
      .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
      .toLowerCase()
      .split(' '),
  );
}
