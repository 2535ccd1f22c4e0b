import { GaterError, type OutgoingRecord } from '@esdb-gater/types';

/** Hands one record to the broker, and resolves once it is accepted. */
export type PublishRecord = (record: OutgoingRecord, signal: AbortSignal) => Promise<unknown>;

export interface BatchOutcome {
  /** The records to publish again, in order: those that failed, and what followed one of them in its stream. */
  readonly remaining: readonly OutgoingRecord[];
  /** The first failure. */
  readonly error?: GaterError;
  /** The record of the first failure. */
  readonly failed?: OutgoingRecord;
}

/**
 * Publishes records together and waits for all answers, so that a broker may gather them. After a failure the later
 * records of the same stream are published again although they were accepted, so that the order within a stream also
 * holds for readers that ignore duplicates.
 */
export async function publishBatch(
  records: readonly OutgoingRecord[],
  publish: PublishRecord,
  signal: AbortSignal,
): Promise<BatchOutcome> {
  const outcomes = await Promise.allSettled(records.map(async (record) => publish(record, signal)));
  const brokenStreams = new Set<string>();
  let error: GaterError | undefined;
  let failed: OutgoingRecord | undefined;
  const remaining = records.filter((record, index) => {
    const outcome = outcomes[index];
    const stream = record.partitionKey ?? record.topic;
    if (outcome?.status === 'rejected') {
      brokenStreams.add(stream);
      error ??= GaterError.from(outcome.reason);
      failed ??= record;
    }
    return brokenStreams.has(stream);
  });
  return error === undefined || failed === undefined ? { remaining } : { remaining, error, failed };
}
