import { invalidArgument } from '@esdb-gater/types';
import { murmur2 } from '../producer/partitioner.ts';

/**
 * A place in a channel: for every partition the offset of the next record. `undefined` where the offset is not
 * known, because the partition had no leader then; what follows there is what came at `sinceMs` or later.
 */
export interface Position {
  readonly offsets: readonly (number | undefined)[];
  /** Unix milliseconds; there when an offset is unknown. */
  readonly sinceMs?: number;
}

const VERSION = '1';
const UNKNOWN = '_';
const BETWEEN = '-';
const PART = '.';
/** Kafka allows more partitions; a position of more is none of ours. */
const MOST_PARTITIONS = 4_096;

/**
 * Positions of one channel as text: `1.<channel>.<offsets>[.<since>]`, numbers in base 36. The text is opaque to
 * clients, URL-safe, the same on every node, and about 20 characters for 4 partitions.
 *
 * The second part is a hash of the Kafka topic, so that a position of another channel is not taken for one of this.
 */
export interface PositionCodec {
  encode(position: Position): string;
  /**
   * A function from the offset of one partition to the text, with all other parts of `position` fixed: one string
   * concatenation a message.
   */
  encoder(position: Position, partition: number): (offset: number) => string;
  /** @throws `invalid_argument` with reason `position_malformed` */
  parse(text: string): Position;
}

export function positionCodec(kafkaTopic: string): PositionCodec {
  const head = `${VERSION}${PART}${(murmur2(Buffer.from(kafkaTopic)) >>> 0).toString(36)}${PART}`;
  return {
    encode: (position) => head + position.offsets.map(offsetText).join(BETWEEN) + tail(position),
    encoder: (position, partition) => {
      const before = position.offsets.slice(0, partition).map((offset) => offsetText(offset) + BETWEEN);
      const after = position.offsets.slice(partition + 1).map((offset) => BETWEEN + offsetText(offset));
      const prefix = head + before.join('');
      const suffix = after.join('') + tail(position);
      return (offset) => prefix + offset.toString(36) + suffix;
    },
    parse: (text) => {
      const position = text.startsWith(head) ? parseRest(text.slice(head.length)) : undefined;
      if (position !== undefined) return position;
      throw invalidArgument(
        'position_malformed',
        `position ${JSON.stringify(text.slice(0, 100))} is none of this channel; hand back one that a message or an answer carried`,
      );
    },
  };
}

function offsetText(offset: number | undefined): string {
  return offset === undefined ? UNKNOWN : offset.toString(36);
}

function tail(position: Position): string {
  return position.sinceMs === undefined ? '' : PART + position.sinceMs.toString(36);
}

function parseRest(rest: string): Position | undefined {
  const [list = '', since, ...extra] = rest.split(PART);
  if (extra.length > 0 || list.length > MOST_PARTITIONS * 12) return undefined;
  const texts = list === '' ? [] : list.split(BETWEEN);
  if (texts.length > MOST_PARTITIONS) return undefined;
  const offsets: (number | undefined)[] = [];
  for (const text of texts) {
    const offset = text === UNKNOWN ? undefined : parseNumber(text);
    if (offset === undefined && text !== UNKNOWN) return undefined;
    offsets.push(offset);
  }
  const complete = offsets.length > 0 && !offsets.includes(undefined);
  if (since === undefined) return complete ? { offsets } : undefined;
  const sinceMs = parseNumber(since);
  return sinceMs === undefined || complete ? undefined : { offsets, sinceMs };
}

/** Base 36 in its only spelling: a second one would make two texts of one position. */
function parseNumber(text: string): number | undefined {
  if (text.length === 0 || text.length > 11) return undefined;
  const value = Number.parseInt(text, 36);
  return Number.isSafeInteger(value) && value.toString(36) === text ? value : undefined;
}
