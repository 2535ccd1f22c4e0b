import { createHash } from 'node:crypto';
import { nestsDeeper, stableJson } from '@esdb-gater/primitives';
import { invalidArgument, type JsonValue } from '@esdb-gater/types';
import type { EncodedEvent } from './encode-event.ts';
import { eventTail } from './event-text.ts';

/** The hash before the first event of a chain: 32 bytes of zero, in hex. */
export const CHAIN_START: string = '0'.repeat(64);

/** The levels that the data of an event may have in a store that keeps a chain: its canonical form is made level by level. */
const MAX_LEVELS = 1_000;

/**
 * Returns the hash of an event in the chain of its stream, as 64 hex digits: the SHA-256 of the line
 * `esdb-gater-chain/1`, the hash of the event before it, and the canonical JSON (RFC 8785) of the recorded event without
 * `storeId`, each separated by a line feed.
 *
 * @param before the hash of the event before it in the stream
 * @param core the event's `eventCore`
 */
export function chainHash(before: string, core: string, epochUs: number): string {
  const event = JSON.parse(`{${core}${eventTail(epochUs)}`) as JsonValue;
  return createHash('sha256')
    .update(`esdb-gater-chain/1\n${before}\n${stableJson(event)}`)
    .digest('hex');
}

/** Checks that events can be hashed, before anything is written. @throws `invalid_argument` (reason `depth`) */
export function checkHashable(events: readonly EncodedEvent[]): void {
  for (const { data, metadata } of events) {
    if (nestsDeeper(data, MAX_LEVELS) || nestsDeeper(metadata, MAX_LEVELS)) {
      throw invalidArgument(
        'depth',
        `an event must have at most ${MAX_LEVELS} levels in a tamper-evident store`,
      );
    }
  }
}
