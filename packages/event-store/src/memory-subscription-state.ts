import { compareUtf8, isFurther } from '@esdb-gater/primitives';
import type {
  FeedPosition,
  NewSubscription,
  ParkedFilter,
  ParkedRecord,
  ParkedRecords,
  SubscriptionRecord,
  SubscriptionState,
} from '@esdb-gater/types';

interface Parked {
  record: ParkedRecord;
  replaying: boolean;
}

interface Kept {
  subscription: NewSubscription;
  readonly parked: Map<number, Parked>;
}

/**
 * Creates the state of subscriptions that is lost with the process. It shows every rule of `SubscriptionState` without a
 * database.
 */
export function createMemorySubscriptionState(): SubscriptionState {
  return new MemorySubscriptionState();
}

class MemorySubscriptionState implements SubscriptionState {
  readonly #kept = new Map<string, Kept>();

  async list(): Promise<readonly SubscriptionRecord[]> {
    const names = [...this.#kept.keys()].sort(compareUtf8);
    return names.map((name) => recordOf(this.#kept.get(name) as Kept));
  }

  async load(name: string): Promise<SubscriptionRecord | undefined> {
    const kept = this.#kept.get(name);
    return kept && recordOf(kept);
  }

  async create(subscription: NewSubscription): Promise<boolean> {
    if (this.#kept.has(subscription.name)) return false;
    this.#kept.set(subscription.name, { subscription, parked: new Map() });
    return true;
  }

  async saveCheckpoint(name: string, position: FeedPosition): Promise<void> {
    const kept = this.#kept.get(name);
    if (kept === undefined || !isFurther(position, kept.subscription.checkpoint)) return;
    kept.subscription = { ...kept.subscription, checkpoint: position };
  }

  async reset(name: string, startFrom: number | 'latest', checkpoint: FeedPosition): Promise<void> {
    const kept = this.#kept.get(name);
    if (kept === undefined) return;
    kept.subscription = { ...kept.subscription, startFrom, checkpoint };
    for (const position of [...kept.parked.keys()]) {
      if (position > checkpoint.position) kept.parked.delete(position);
    }
  }

  async remove(name: string): Promise<boolean> {
    return this.#kept.delete(name);
  }

  async park(name: string, record: ParkedRecord): Promise<void> {
    this.#kept.get(name)?.parked.set(record.position, { record, replaying: false });
  }

  async listParked(name: string, { replaying, after, limit }: ParkedFilter): Promise<ParkedRecords> {
    const wanted = [...(this.#kept.get(name)?.parked.values() ?? [])]
      .filter((one) => one.replaying === replaying && one.record.position > after)
      .map(({ record }) => record)
      .sort((one, other) => one.position - other.position);
    return { records: wanted.slice(0, limit), more: wanted.length > limit };
  }

  async markReplay(name: string, eventIds?: readonly string[]): Promise<number> {
    const wanted = eventIds && new Set(eventIds);
    let count = 0;
    for (const one of this.#kept.get(name)?.parked.values() ?? []) {
      if (one.replaying || wanted?.has(one.record.eventId.toLowerCase()) === false) continue;
      one.replaying = true;
      count += 1;
    }
    return count;
  }

  async unpark(name: string, positions: readonly number[]): Promise<void> {
    const parked = this.#kept.get(name)?.parked;
    for (const position of positions) parked?.delete(position);
  }
}

function recordOf({ subscription, parked }: Kept): SubscriptionRecord {
  let count = 0;
  for (const { replaying } of parked.values()) if (!replaying) count += 1;
  return { ...subscription, parked: count };
}
