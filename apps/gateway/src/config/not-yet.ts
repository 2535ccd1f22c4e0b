import { isDeepStrictEqual } from 'node:util';
import type { JsonValue } from '@esdb-gater/types';
import { type TSchema, Type } from 'typebox';
import { notSupported } from './config-error.ts';
import { CONFIG_SCHEMA } from './schema.ts';
import { annotationsOf, nonNull } from './schema-kit.ts';
import type { GatewayConfig } from './types.ts';

/**
 * Refuses settings of features that this version does not have (`notYet` in the schema), instead of ignoring them
 * silently.
 *
 * @throws `not_supported` with one line that names the key
 */
export function assertSupported(config: GatewayConfig): void {
  check(CONFIG_SCHEMA, config as unknown as JsonValue, '');
}

function check(schema: TSchema, value: JsonValue | undefined, path: string): void {
  if (value === undefined) return;
  const { notYet, default: fallback } = annotationsOf(schema);
  if (notYet !== undefined && !isDeepStrictEqual(value, fallback)) throw notSupported(path, notYet);
  if (typeof value !== 'object' || value === null) return;
  const inner = nonNull(schema);
  for (const [name, member] of Object.entries(value)) {
    const known = Type.IsRecord(inner)
      ? Object.values(inner.patternProperties)[0]
      : Type.IsObject(inner)
        ? inner.properties[name]
        : undefined;
    if (known !== undefined) check(known, member as JsonValue, path === '' ? name : `${path}.${name}`);
  }
}
