import { invalidArgument } from '@esdb-gater/types';
import { murmur2 } from '../producer/partitioner.ts';

/**
 * A position in a channel: the offset of the next record of every partition. An offset is `undefined` while it is
 * unknown, because the partition had no leader; the partition then continues with records written at `sinceMs` or
 * later.
 */
export interface Position {
  readonly offsets: readonly (number | undefined)[];
  /** Unix milliseconds; present when an offset is unknown. */
  readonly sinceMs?: number;
}

/** Makes a position of the offsets that are known. */
export function positionOf(
  partitions: readonly number[],
  known: ReadonlyMap<number, number>,
  sinceMs: number,
): Position {
  const offsets = partitions.map((partition) => known.get(partition));
  return isComplete(offsets) ? { offsets } : { offsets, sinceMs };
}

/**
 * Returns the offset of a partition, or undefined when only a time is known. Without a time, a partition that the
 * position does not contain was added to the topic later, and begins at 0.
 */
export function offsetIn(position: Position, partition: number): number | undefined {
  return position.offsets[partition] ?? (position.sinceMs === undefined ? 0 : undefined);
}

function isComplete(offsets: readonly (number | undefined)[]): boolean {
  return offsets.length > 0 && !offsets.includes(undefined);
}

const VERSION = '1';
const UNKNOWN = '_';
const OFFSET_SEPARATOR = '-';
const PART_SEPARATOR = '.';
/** Kafka allows more partitions, this package creates far fewer. */
const MAX_PARTITIONS = 4_096;

/**
 * Encodes the positions of one channel as `1.<channel>.<offsets>[.<since>]`, with numbers in base 36. The text is
 * opaque to clients, URL-safe, the same on every node, and has about 20 characters for 4 partitions.
 *
 * The second part is a hash of the Kafka topic, so that a position of another channel is rejected.
 */
export interface PositionCodec {
  encode(position: Position): string;
  /**
   * Returns a function that encodes the position with another offset of one partition, at the cost of one string
   * concatenation a message.
   */
  encoder(position: Position, partition: number): (offset: number) => string;
  /** @throws `invalid_argument` with reason `position_malformed` */
  parse(text: string): Position;
}

export function positionCodec(kafkaTopic: string): PositionCodec {
  const hash = (murmur2(Buffer.from(kafkaTopic)) >>> 0).toString(36);
  const head = `${VERSION}${PART_SEPARATOR}${hash}${PART_SEPARATOR}`;
  return {
    encode: (position) =>
      head + position.offsets.map(offsetText).join(OFFSET_SEPARATOR) + sinceText(position),
    encoder: (position, partition) => {
      const before = position.offsets
        .slice(0, partition)
        .map((offset) => offsetText(offset) + OFFSET_SEPARATOR);
      const after = position.offsets
        .slice(partition + 1)
        .map((offset) => OFFSET_SEPARATOR + offsetText(offset));
      const prefix = head + before.join('');
      const suffix = after.join('') + sinceText(position);
      return (offset) => prefix + offset.toString(36) + suffix;
    },
    parse: (text) => {
      const position = text.startsWith(head) ? parseRest(text.slice(head.length)) : undefined;
      if (position !== undefined) return position;
      throw invalidArgument(
        'position_malformed',
        `position ${JSON.stringify(text.slice(0, 100))} does not belong to this channel; pass a position that this channel gave you`,
      );
    },
  };
}

function offsetText(offset: number | undefined): string {
  return offset === undefined ? UNKNOWN : offset.toString(36);
}

function sinceText({ sinceMs }: Position): string {
  return sinceMs === undefined ? '' : PART_SEPARATOR + sinceMs.toString(36);
}

function parseRest(rest: string): Position | undefined {
  const [list = '', since, ...extra] = rest.split(PART_SEPARATOR);
  if (extra.length > 0 || list.length > MAX_PARTITIONS * 12) return undefined;
  const texts = list === '' ? [] : list.split(OFFSET_SEPARATOR);
  if (texts.length > MAX_PARTITIONS) return undefined;
  const offsets: (number | undefined)[] = [];
  for (const text of texts) {
    const offset = text === UNKNOWN ? undefined : parseNumber(text);
    if (offset === undefined && text !== UNKNOWN) return undefined;
    offsets.push(offset);
  }
  if (since === undefined) return isComplete(offsets) ? { offsets } : undefined;
  const sinceMs = parseNumber(since);
  return sinceMs === undefined || isComplete(offsets) ? undefined : { offsets, sinceMs };
}

/** Parses base 36 in its only spelling, since a second one would make two texts of one position. */
function parseNumber(text: string): number | undefined {
  if (text.length === 0 || text.length > 11) return undefined;
  const value = Number.parseInt(text, 36);
  return Number.isSafeInteger(value) && value.toString(36) === text ? value : undefined;
}
