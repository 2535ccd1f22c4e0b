import { createHash } from 'node:crypto';
import { stableJson, uuidV5 } from '@esdb-gater/primitives';
import type { JsonValue, NewBytesEvent, NewEvent } from '@esdb-gater/types';
import { createOccurrences } from './occurrences.ts';

/** Makes the ids of the events of one import that do not bring their own. */
export interface EventIds {
  idOf(streamId: string, event: NewEvent | NewBytesEvent): string;
}

/**
 * Creates the ids of an import. An id is made of the import's name, of what the event contains, and of how many equal
 * events came before it in the import. So it stays the same when lines around it are mended, blank lines are added, or
 * its members are in another order; equal lines are separate events; and equal lines of another import are others.
 */
export function createEventIds(importName: string): EventIds {
  const occurrences = createOccurrences();
  return {
    idOf(streamId, { type, data, dataBase64, contentType, metadata = {}, tags = [] }) {
      const body = dataBase64 === undefined ? { data: data as JsonValue } : { dataBase64, contentType };
      const content = stableJson({ streamId, type, ...body, metadata, tags });
      const digest = createHash('sha256').update(content).digest();
      const before = occurrences.add(digest);
      return uuidV5(`esdb-gater-import\n${importName}\n${digest.toString('hex')}\n${before}`);
    },
  };
}
