import { JSON_DEPTH } from '@esdb-gater/primitives';
import { createPeer, type WaitOptions } from '@esdb-gater/protocol';
import type { Clock, Logger } from '@esdb-gater/types';
import { type BrokerCalls, MAX_LINE_BYTES, RECORDS, type RecordsNotice } from './broker-calls.ts';
import type { LineTransport } from './line-transport.ts';

export interface BrokerConnectionComponents {
  readonly onRecords: (notice: RecordsNotice) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface BrokerCallOptions<Result> extends Omit<WaitOptions, 'onResult'> {
  readonly onResult?: (result: Result) => void;
}

/** A connection to the process that has the broker. */
export interface BrokerConnection {
  /** @throws the error of the broker; `timeout`; `unavailable` when the connection breaks before the answer */
  call<Method extends keyof BrokerCalls>(
    method: Method,
    params: BrokerCalls[Method]['params'],
    options?: BrokerCallOptions<BrokerCalls[Method]['result']>,
  ): Promise<BrokerCalls[Method]['result']>;
  notify(method: string, params: object): void;
  /** Returns the bytes that the other side has not read yet. */
  unsentBytes(): number;
  close(): void;
  /** Resolves when the connection has ended. */
  readonly closed: Promise<unknown>;
}

/** Speaks to a broker host over `transport`. */
export function createBrokerConnection(
  transport: LineTransport,
  { onRecords, clock, logger }: BrokerConnectionComponents,
): BrokerConnection {
  const peer = createPeer(
    transport,
    {
      onNotification(method, params) {
        if (method !== RECORDS) return false;
        onRecords(params as RecordsNotice);
        return true;
      },
      clock,
      logger,
    },
    { maxDepth: JSON_DEPTH.received, frameBytes: MAX_LINE_BYTES },
  );
  return {
    // Both sides are of one version: the answers have the types of the calls.
    call: (method, params, options = {}) => peer.call(method, params, options as WaitOptions) as never,
    notify: (method, params) => peer.notify(method, params),
    unsentBytes: () => transport.unsentBytes(),
    close: () => peer.close(),
    closed: peer.closed,
  };
}
