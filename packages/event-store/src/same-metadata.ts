import type { JsonObject, JsonValue } from '@esdb-gater/types';
import { jsonEqual } from './json-equal.ts';

/** The member of an event's metadata that holds the attributes of the CloudEvent that the event was made of. */
const CLOUD_EVENT = 'cloudevent';

/**
 * Returns true when two events with the same id have the same metadata. Of a CloudEvent only `source` and `id` are
 * compared, since they alone identify it: a sender that repeats one may give it other extension attributes, such as the
 * `traceparent` of the new attempt.
 */
export function sameMetadata(left: string, right: string): boolean {
  if (left === right) return true;
  const [one, other] = [JSON.parse(left) as JsonObject, JSON.parse(right) as JsonObject];
  if (jsonEqual(one, other)) return true;
  if (!isSameCloudEvent(memberOf(one, CLOUD_EVENT), memberOf(other, CLOUD_EVENT))) return false;
  return jsonEqual({ ...one, [CLOUD_EVENT]: null }, { ...other, [CLOUD_EVENT]: null });
}

function isSameCloudEvent(one: JsonValue | undefined, other: JsonValue | undefined): boolean {
  const source = memberOf(one, 'source');
  return (
    typeof source === 'string' &&
    source === memberOf(other, 'source') &&
    memberOf(one, 'id') === memberOf(other, 'id')
  );
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as JsonObject)[name] : undefined;
}
