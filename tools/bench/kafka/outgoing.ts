import { randomUUID } from 'node:crypto';
import type { OutgoingRecord } from '@esdb-gater/types';
import { messageOf, topicOf } from './messages.ts';

/** Message `sequence` as channels hand it to a broker. */
export function outgoing(sequence: number): OutgoingRecord {
  return {
    id: randomUUID(),
    topic: topicOf(sequence),
    message: { ...messageOf(sequence) },
    time: new Date().toISOString(),
    type: 'esdb_gater.message',
    source: 'esdb://default/channel/system',
  };
}
