import type { SubscriptionState } from '@esdb-gater/types';
import type { ThreadClient } from './thread-client.ts';
import type { ReaderCalls, WriterCalls } from './thread-messages.ts';

/** The memory that a call needs besides its texts. */
const CALL_BYTES = 256;

/** How many parked events one call changes, so that appends never wait for long. */
const PARKED_AT_ONCE = 5_000;

export interface StateThreads {
  readonly reader: Pick<ThreadClient<ReaderCalls>, 'call'>;
  readonly writer: Pick<ThreadClient<WriterCalls>, 'call'>;
  /** @throws `unavailable`, or `internal` for a damaged file, when the store cannot be read, or not be written to */
  readonly check: (isWrite: boolean) => void;
}

/** Creates the state of subscriptions that is kept in the store's file. Writes share the transactions of appends. */
export function createSqliteSubscriptionState({ reader, writer, check }: StateThreads): SubscriptionState {
  return {
    async list() {
      check(false);
      return reader.call('listSubscriptions', [], CALL_BYTES);
    },
    async load(name) {
      check(false);
      return reader.call('loadSubscription', [name], CALL_BYTES);
    },
    async create(subscription) {
      check(true);
      const costBytes = CALL_BYTES + JSON.stringify(subscription).length;
      return writer.call('createSubscription', [subscription], costBytes);
    },
    async saveCheckpoint(name, position) {
      check(true);
      await writer.call('saveSubscriptionCheckpoint', [name, position], CALL_BYTES);
    },
    async reset(name, startFrom, checkpoint) {
      check(true);
      await writer.call('resetSubscription', [name, startFrom, checkpoint], CALL_BYTES);
    },
    async remove(name) {
      for (;;) {
        check(true);
        const removed = await writer.call('removeSubscription', [name, PARKED_AT_ONCE], CALL_BYTES);
        if (removed === undefined) return false;
        if (removed) return true;
      }
    },
    async park(name, record) {
      check(true);
      await writer.call('park', [name, record], CALL_BYTES + record.reason.length);
    },
    async listParked(name, filter) {
      check(false);
      return reader.call('listParked', [name, filter], CALL_BYTES);
    },
    async markReplay(name, eventIds) {
      let count = 0;
      for (;;) {
        check(true);
        const costBytes = CALL_BYTES + (eventIds?.length ?? 0) * 64;
        const marked = await writer.call('markReplay', [name, eventIds, PARKED_AT_ONCE], costBytes);
        count += marked;
        if (eventIds !== undefined || marked < PARKED_AT_ONCE) return count;
      }
    },
    async unpark(name, positions) {
      check(true);
      await writer.call('unpark', [name, positions], CALL_BYTES + positions.length * 8);
    },
  };
}
