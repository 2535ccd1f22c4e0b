import type { JsonObject, JsonValue } from '@esdb-gater/types';
import { type TSchema, Type } from 'typebox';
import { configError, wrongValue } from './config-error.ts';
import { problemOf } from './expectation.ts';
import { CONFIG_KEYS } from './keys.ts';
import { parseText } from './parse-text.ts';
import { readSettingFile } from './read-setting-file.ts';
import { annotationsOf, nonNull } from './schema-kit.ts';
import type { Setting } from './sources.ts';

/** More than any list of keys has. */
const MAX_SECRET_BYTES = 65_536;

/**
 * Replaces each setting that names a file of a secret by the secret.
 *
 * @throws `invalid_argument` (reason `configuration`) that names the key, never the secret
 */
export function readSecretFiles(settings: readonly Setting[]): Setting[] {
  const given = new Set(settings.map(({ key }) => key.path));
  return settings.flatMap((setting) => {
    const secretKey = CONFIG_KEYS.find(({ path }) => path === setting.key.twinOf);
    if (secretKey === undefined) return [setting];
    const { source, value } = setting;
    // Null means no file, so the value of another source stays.
    if (typeof value !== 'string') return [];
    if (given.has(secretKey.path))
      throw configError(source, `must not be set together with \`${secretKey.path}\``);
    const secret = parseText(secretKey, readSecret(value, source), source);
    const problem = problemOf(secretKey.schema, secret, secretKey.path);
    if (problem !== undefined) throw wrongValue(secretKey, source, secret, problem);
    return [{ key: secretKey, value: secret, source }];
  });
}

/**
 * Replaces the twins inside a value, such as `urlFile` of a store or `secretFile` of a list of secrets, by the secrets.
 *
 * @throws `invalid_argument` (reason `configuration`) that names the twin, never the secret
 */
export function withInnerSecrets({ key, value, source }: Setting): Setting {
  return { key, value: resolved(key.schema, value, key.path), source };
}

function resolved(schema: TSchema, value: JsonValue, at: string): JsonValue {
  const inner = nonNull(schema);
  if (Array.isArray(value)) {
    const list = Type.IsUnion(inner) ? inner.anyOf.find(Type.IsArray) : inner;
    if (list === undefined || !Type.IsArray(list)) return value;
    return value.map((item, index) => resolved(list.items, item, `${at}.${index}`));
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Type.IsRecord(inner)) {
    const [item] = Object.values(inner.patternProperties);
    const members = Object.entries(value as JsonObject).map(
      ([name, member]) =>
        [name, item === undefined ? member : resolved(item, member, `${at}.${name}`)] as const,
    );
    // Names such as `__proto__` stay names.
    return Object.fromEntries(members);
  }
  return Type.IsObject(inner) ? withSecretsOf(inner.properties, value as JsonObject, at) : value;
}

function withSecretsOf(
  properties: Readonly<Record<string, TSchema>>,
  value: JsonObject,
  at: string,
): JsonObject {
  let members: JsonObject = value;
  for (const [name, schema] of Object.entries(properties)) {
    const twin = `${name}File`;
    if (annotationsOf(schema).secret !== true || typeof members[twin] !== 'string') continue;
    const path = `${at}.${twin}`;
    if (members[name] !== undefined)
      throw configError(path, `must not be set together with \`${at}.${name}\``);
    const { [twin]: file, ...rest } = members;
    members = { ...rest, [name]: readSecret(String(file), path) };
  }
  return members;
}

/** Reads a file, without the line break at its end that editors and `echo` add. */
function readSecret(file: string, source: string): string {
  return readSettingFile(source, file, MAX_SECRET_BYTES).replace(/\r?\n$/, '');
}
