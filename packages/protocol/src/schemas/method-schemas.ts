import type { MethodName } from '../methods/method-table.ts';
import { CHANNEL_SCHEMAS } from './channel-schemas.ts';
import { GATEWAY_SCHEMAS } from './gateway-schemas.ts';
import type { SchemasOf } from './schema-kit.ts';
import { SNAPSHOT_SCHEMAS } from './snapshot-schemas.ts';
import { STREAM_SCHEMAS } from './stream-schemas.ts';
import { SUBSCRIPTION_SCHEMAS } from './subscription-schemas.ts';

/** The schemas of every method in the table, by which calls are validated and the protocol is described. */
export const METHOD_SCHEMAS: SchemasOf<MethodName> = Object.freeze({
  ...STREAM_SCHEMAS,
  ...SNAPSHOT_SCHEMAS,
  ...SUBSCRIPTION_SCHEMAS,
  ...CHANNEL_SCHEMAS,
  ...GATEWAY_SCHEMAS,
});
