import { CHANNEL_NAMES, type ChannelName, type GaterError, invalidArgument } from '@esdb-gater/types';

/** Where a reader of a channel stands. */
export interface Point {
  /** Of the broker's life that counted `sequence`. */
  readonly epoch: string;
  /** The last message of that life that is behind the reader. */
  readonly sequence: number;
  /** The last event behind the reader, for each store that is fed. Only on the channel `events`. */
  readonly stores: ReadonlyMap<string, number>;
}

/**
 * `m`, the channel's digit, the epoch, `.` and the sequence; then for each store `~`, its id, `.` and its position.
 * All characters are unreserved in a URL.
 */
const FORM = /^m(\d)([0-9a-z]{1,24})\.(0|[1-9]\d{0,15})((?:~[A-Za-z0-9_-]{1,64}\.(?:0|[1-9]\d{0,15}))*)$/;

/** Longer than any position over 700 stores with the longest ids. */
const MAX_POSITION_CHARACTERS = 65_536;

/** What stands before the sequence in every position of a channel. */
export function positionHead(channel: ChannelName, epoch: string): string {
  return `m${CHANNEL_NAMES.indexOf(channel)}${epoch}.`;
}

/** The text of a store's part. */
export function storePart(storeId: string, position: number): string {
  return `~${storeId}.${position}`;
}

/**
 * The point that a position stands for.
 *
 * @throws `invalid_argument`, reason `position_malformed`
 */
export function parsePosition(channel: ChannelName, text: string): Point {
  const match = text.length <= MAX_POSITION_CHARACTERS ? FORM.exec(text) : null;
  if (match === null) throw malformed(channel, 'it is none that this broker made');
  const [, digit = '', epoch = '', sequence = '', parts = ''] = match;
  const of = CHANNEL_NAMES[Number(digit)];
  if (of !== channel) throw malformed(channel, `it belongs to ${String(of)}`);
  const stores = new Map<string, number>();
  for (const part of parts.split('~').slice(1)) {
    const dot = part.lastIndexOf('.');
    const storeId = part.slice(0, dot);
    if (stores.has(storeId)) throw malformed(channel, `it names the store ${storeId} twice`);
    stores.set(storeId, safe(channel, part.slice(dot + 1)));
  }
  return { epoch, sequence: safe(channel, sequence), stores };
}

export function malformed(channel: ChannelName, why: string): GaterError {
  return invalidArgument(
    'position_malformed',
    `the position is no position of the channel ${channel}: ${why}`,
    {
      channel,
    },
  );
}

function safe(channel: ChannelName, digits: string): number {
  const value = Number(digits);
  if (Number.isSafeInteger(value)) return value;
  throw malformed(channel, `${digits} is beyond any position`);
}
