import { utf8Bytes } from '@esdb-gater/primitives';
import type { Broker, BrokerRecord, ChannelName } from '@esdb-gater/types';
import type { ReadPage } from './broker-calls.ts';

/** Bytes of messages, as JSON, after which a page ends. */
const PAGE_BYTES = 1_048_576;

export interface PageParams {
  readonly channel: ChannelName;
  readonly after: string;
  readonly until: string;
  readonly topic?: string;
  readonly signal: AbortSignal;
}

/** Reads as many records between two positions as a page holds. */
export async function readPage(
  broker: Pick<Broker, 'read'>,
  { channel, after, until, topic, signal }: PageParams,
): Promise<ReadPage> {
  const records: BrokerRecord[] = [];
  let bytes = 0;
  let reached: string | undefined;
  const end = new AbortController();
  const options = {
    ...(topic === undefined ? {} : { topic }),
    signal: AbortSignal.any([signal, end.signal]),
    onReached: (position: string) => {
      reached = position;
    },
  };
  const page = (done: boolean): ReadPage => ({
    records,
    done,
    ...(reached === undefined ? {} : { reached }),
  });
  for await (const batch of broker.read(channel, after, until, options)) {
    for (const { id, topic: on, message, time, position, traceparent, tracestate } of batch) {
      records.push({
        id,
        topic: on,
        message,
        time,
        position,
        ...(traceparent === undefined ? {} : { traceparent }),
        ...(tracestate === undefined ? {} : { tracestate }),
      });
      bytes += utf8Bytes(JSON.stringify(message), PAGE_BYTES);
      if (bytes < PAGE_BYTES) continue;
      end.abort();
      // A position that was reached in the meantime is behind the last record only when the batch is used up.
      reached = undefined;
      return page(false);
    }
  }
  return page(true);
}
