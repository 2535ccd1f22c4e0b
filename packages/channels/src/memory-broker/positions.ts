import {
  CHANNEL_NAMES,
  type ChannelName,
  type GaterError,
  invalidArgument,
  type StorePoint,
} from '@esdb-gater/types';

/** Where a reader is in a store. */
export interface StoreMark extends StorePoint {
  /** True while the store could not be asked whether it has the event that the point is proved by. */
  readonly unproven?: boolean;
  /** Replaces a position while the store could not be read: the reader wants the events from this time on (Unix ms). */
  readonly sinceMs?: number;
}

/** Where a reader is in a channel. */
export interface Point {
  /** The run of the broker that `sequence` belongs to. */
  readonly epoch: string;
  /** The last message of that run that the reader has passed. */
  readonly sequence: number;
  /** For each store that is fed, the last event behind the reader. Only on the channel `events`. */
  readonly stores: ReadonlyMap<string, StoreMark>;
}

/**
 * `m`, the channel's digit, the epoch, `.` and the sequence; then for each store `~`, its id, `.` and its mark: a
 * position with its proof (`12.Xk3-9_aB`; before proofs were added, without), `u` before it while it is unproven, or `t`
 * and a time. All characters are unreserved in a URL.
 */
const FORM =
  /^m(\d)([0-9a-z]{1,24})\.(0|[1-9]\d{0,15})((?:~[A-Za-z0-9_-]{1,64}\.[ut]?(?:0|[1-9]\d{0,15})(?:\.[A-Za-z0-9_-]{8})?)*)$/;

/** More than any position over 2 500 stores with the longest ids. */
const MAX_POSITION_CHARACTERS = 262_144;

/** Returns the common prefix of a channel's positions, up to the sequence. */
export function positionHead(channel: ChannelName, epoch: string): string {
  return `m${CHANNEL_NAMES.indexOf(channel)}${epoch}.`;
}

/** Returns the text of a store's part. */
export function storePart(storeId: string, { position, proof, unproven, sinceMs }: StoreMark): string {
  if (sinceMs !== undefined) return `~${storeId}.t${sinceMs}`;
  const at = unproven === true ? `u${position}` : String(position);
  return proof === undefined ? `~${storeId}.${at}` : `~${storeId}.${at}.${proof}`;
}

/**
 * Parses a position.
 *
 * @throws `invalid_argument`, reason `position_malformed`
 */
export function parsePosition(channel: ChannelName, text: string): Point {
  const match = text.length <= MAX_POSITION_CHARACTERS ? FORM.exec(text) : null;
  if (match === null) throw malformed(channel, 'pass a position that this channel gave you');
  const [, digit = '', epoch = '', sequence = '', parts = ''] = match;
  const owner = CHANNEL_NAMES[Number(digit)];
  if (owner !== channel) throw malformed(channel, `it belongs to ${String(owner)}`);
  const stores = new Map<string, StoreMark>();
  for (const part of parts.split('~').slice(1)) {
    const [storeId = '', at = '', proof] = part.split('.');
    if (stores.has(storeId)) throw malformed(channel, `it names the store ${storeId} twice`);
    stores.set(storeId, parseMark(channel, at, proof));
  }
  return { epoch, sequence: safe(channel, sequence), stores };
}

/**
 * Returns true when a reader at `after` has everything up to `until`: both are positions that the in-process broker gave
 * for the channel. Positions of two runs of the broker have no order, so that a reader of another run never has.
 *
 * @param isWanted false for a store whose events the reader leaves out
 * @throws `invalid_argument`, reason `position_malformed`
 */
export function reachesPosition(
  channel: ChannelName,
  after: string,
  until: string,
  isWanted: (storeId: string) => boolean = () => true,
): boolean {
  if (after === until) return true;
  const reader = parsePosition(channel, after);
  const end = parsePosition(channel, until);
  if (reader.epoch !== end.epoch || reader.sequence < end.sequence) return false;
  return [...end.stores].every(
    ([storeId, { position }]) => !isWanted(storeId) || isMarkAt(reader.stores.get(storeId), position),
  );
}

/** Returns true when a reader has everything of a store up to a position. */
export function isMarkAt(mark: StoreMark | undefined, position: number): boolean {
  if (position === 0) return true;
  return (
    mark !== undefined && mark.unproven !== true && mark.sinceMs === undefined && mark.position >= position
  );
}

/** Returns the error for a position that is not one of the channel. */
export function malformed(channel: ChannelName, why: string): GaterError {
  return invalidArgument('position_malformed', `the position does not belong to ${channel}: ${why}`, {
    channel,
  });
}

function parseMark(channel: ChannelName, at: string, proof: string | undefined): StoreMark {
  if (at.startsWith('t')) return { position: 0, sinceMs: safe(channel, at.slice(1)) };
  const unproven = at.startsWith('u');
  return {
    position: safe(channel, unproven ? at.slice(1) : at),
    ...(proof === undefined ? {} : { proof }),
    ...(unproven ? { unproven } : {}),
  };
}

function safe(channel: ChannelName, digits: string): number {
  const value = Number(digits);
  if (Number.isSafeInteger(value)) return value;
  throw malformed(channel, `${digits} is beyond any position`);
}
