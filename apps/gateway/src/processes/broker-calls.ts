import type { BrokerRecord, ChannelName, OutgoingRecord, ReplayFrom } from '@esdb-gater/types';

// What the processes of a gateway say to each other about the broker. Both sides are of one version: this is not part of
// the protocol.

/** The calls of a process to the one that has the broker. */
export interface BrokerCalls {
  /** Starts the records of all channels. */
  readonly attach: { readonly params: object; readonly result: AttachResult };
  readonly append: {
    readonly params: { readonly channel: ChannelName; readonly record: OutgoingRecord };
    readonly result: { readonly position?: string };
  };
  /** Is answered behind every record that was accepted before the call. */
  readonly position: {
    readonly params: { readonly channel: ChannelName };
    readonly result: { readonly position: string };
  };
  readonly resolve: {
    readonly params: { readonly channel: ChannelName; readonly from: ReplayFrom };
    readonly result: { readonly position: string; readonly lost?: boolean };
  };
  readonly read: { readonly params: ReadParams; readonly result: ReadPage };
}

export interface AttachResult {
  /** Where the records of each channel start. */
  readonly positions: Readonly<Record<ChannelName, string>>;
}

export interface ReadParams {
  readonly channel: ChannelName;
  readonly after: string;
  readonly until: string;
  readonly topic?: string;
  /** Names the read in `cancelRead`. */
  readonly readId: number;
}

/** A part of what a read asks for. */
export interface ReadPage {
  readonly records: readonly BrokerRecord[];
  /** Up to where everything that matches is in `records`, when that is known. */
  readonly reached?: string;
  /** False when there may be more. */
  readonly done: boolean;
}

/** The notification with the next records of a channel. */
export const RECORDS = 'records';

export interface RecordsNotice {
  readonly channel: ChannelName;
  readonly records: readonly BrokerRecord[];
  /** The position behind them; absent while it is not known. */
  readonly position?: string;
}

/** The notification that ends a read. */
export const CANCEL_READ = 'cancelRead';

export interface CancelReadNotice {
  readonly readId: number;
}

/** The longest message: a batch of records, whose last one may have the size of a frame. */
export const MAX_LINE_BYTES = 268_435_456;
