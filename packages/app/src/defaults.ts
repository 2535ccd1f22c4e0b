import type { Gater } from '@esdb-gater/gater';
import { type Clock, systemClock } from '@esdb-gater/types';

/** Returns the store that is used: the one that is named, else that of the `Gater`, else `default`. */
export function storeIdOf({
  storeId,
  gater,
}: {
  readonly storeId?: string;
  readonly gater: Pick<Gater, 'storeId'>;
}): string {
  return storeId ?? gater.storeId ?? 'default';
}

/** Returns the clock that is used: the one that is given, else that of a `TestGater`, else the system clock. */
export function clockOf({ clock, gater }: { readonly clock?: Clock; readonly gater: object }): Clock {
  return clock ?? (gater as { readonly clock?: Clock }).clock ?? systemClock;
}
