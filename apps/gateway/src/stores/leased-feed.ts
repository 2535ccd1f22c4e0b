import type { KafkaLease } from '@esdb-gater/broker-kafka';
import type { Feed, FeedHealth } from '@esdb-gater/event-store';
import type { Logger } from '@esdb-gater/types';

/** A feed that runs on this node only while this node holds its lease. */
export interface LeasedFeed {
  /** Returns `healthy` while another node feeds. */
  health(): Pick<FeedHealth, 'status' | 'message'>;
  /** Sets whether this node can feed the store; false releases the lease at once. */
  want(wanted: boolean): void;
  /** Ends the feed, saves its checkpoint and releases the lease. */
  close(): Promise<void>;
}

export interface LeasedFeedComponents {
  /** Requests the lease. */
  readonly acquire: () => KafkaLease;
  /** Starts the feed from its checkpoint. */
  readonly open: () => Feed;
  readonly logger: Logger;
  /** Settles when an earlier feed of that name has released its lease; this feed does not start before. */
  readonly after?: Promise<unknown> | undefined;
}

/** Creates a feed that waits for its lease. */
export function createLeasedFeed(components: LeasedFeedComponents): LeasedFeed {
  return new LeaseFeed(components);
}

class LeaseFeed implements LeasedFeed {
  readonly #components: LeasedFeedComponents;
  #wanted = false;
  #closed = false;
  #lease: { readonly lease: KafkaLease; readonly detach: () => void } | undefined;
  #feed: Feed | undefined;
  /** Requests and releases follow each other, however fast the wish changes. */
  #work: Promise<void>;

  constructor(components: LeasedFeedComponents) {
    this.#components = components;
    this.#work = Promise.resolve(components.after).then(
      () => undefined,
      () => undefined,
    );
  }

  health(): Pick<FeedHealth, 'status' | 'message'> {
    return this.#feed?.health() ?? { status: 'healthy' };
  }

  want(wanted: boolean): void {
    if (wanted === this.#wanted || this.#closed) return;
    this.#wanted = wanted;
    this.#work = this.#work.then(() => this.#settle());
  }

  async close(): Promise<void> {
    this.want(false);
    this.#closed = true;
    await this.#work;
  }

  async #settle(): Promise<void> {
    if (this.#wanted && this.#lease === undefined) {
      const lease = this.#components.acquire();
      this.#lease = { lease, detach: lease.onChange((epoch) => this.#follow(epoch)) };
      this.#follow(lease.epoch);
    } else if (!this.#wanted && this.#lease !== undefined) {
      const { lease, detach } = this.#lease;
      this.#lease = undefined;
      detach();
      // The checkpoint first, as the next holder of the lease continues from there.
      await this.#end();
      await lease.release();
    }
  }

  /**
   * Follows the lease. A feed that ends may still have records in flight when the next one starts, here or on another
   * node. Both publish a stream in its order, and the later one starts at or before the last acknowledged event of the
   * earlier one, so first occurrences keep the order, and duplicates have the same ids.
   */
  #follow(epoch: number | undefined): void {
    if (epoch === undefined) void this.#end();
    else this.#feed ??= this.#components.open();
  }

  async #end(): Promise<void> {
    const feed = this.#feed;
    this.#feed = undefined;
    try {
      await feed?.close();
    } catch (error) {
      this.#components.logger.warn({ err: error }, 'cannot close a feed');
    }
  }
}
