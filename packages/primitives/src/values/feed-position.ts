import type { FeedPosition, StorePoint } from '@esdb-gater/types';

/** The position of a feed that has published nothing. */
export const FEED_START: FeedPosition = Object.freeze({ position: 0 });

/**
 * Reads a saved feed position. Releases without proofs saved only a number. Returns {@link FEED_START} for a value that
 * is not a position, so that the feed publishes everything again rather than miss something.
 */
export function parseFeedPosition(value: unknown): FeedPosition {
  if (typeof value === 'number') return pointOf({ position: value }) ?? FEED_START;
  const point = pointOf(value);
  if (point === undefined) return FEED_START;
  const { turn, earlier } = value as { readonly turn?: unknown; readonly earlier?: unknown };
  return {
    ...point,
    ...(Number.isSafeInteger(turn) && (turn as number) > 0 ? { turn: turn as number } : {}),
    ...(Array.isArray(earlier)
      ? { earlier: earlier.map(pointOf).filter((one) => one?.proof !== undefined) as StorePoint[] }
      : {}),
  };
}

/** Returns true when `one` is later than `other`: a feed only moves on within a turn, and starts a turn by going back. */
export function isFurther(one: FeedPosition, other: FeedPosition): boolean {
  const turns = (one.turn ?? 0) - (other.turn ?? 0);
  return turns > 0 || (turns === 0 && one.position > other.position);
}

function pointOf(value: unknown): StorePoint | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { position, proof } = value as { readonly position?: unknown; readonly proof?: unknown };
  if (!Number.isSafeInteger(position) || (position as number) <= 0) return undefined;
  const at = position as number;
  return typeof proof === 'string' ? { position: at, proof } : { position: at };
}
