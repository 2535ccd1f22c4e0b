import type { KafkaLease } from '@esdb-gater/broker-kafka';
import type { Feed, FeedHealth } from '@esdb-gater/event-store';
import type { Logger } from '@esdb-gater/types';

/** A feed that runs on this node only while this node holds its lease. */
export interface LeasedFeed {
  /** `healthy` while another node feeds. */
  health(): Pick<FeedHealth, 'status' | 'message'>;
  /** True when this node can feed the store; false lets others have the lease at once. */
  want(wanted: boolean): void;
  /** Ends the feed, saves its checkpoint and gives the lease up. */
  close(): Promise<void>;
}

export interface LeasedFeedComponents {
  /** Asks for the lease. */
  readonly acquire: () => KafkaLease;
  /** Starts the feed from its checkpoint. */
  readonly open: () => Feed;
  readonly logger: Logger;
  /** Nothing begins before it: an earlier feed of that name is still giving its lease up. */
  readonly after?: Promise<unknown> | undefined;
}

export function createLeasedFeed(components: LeasedFeedComponents): LeasedFeed {
  return new LeaseFeed(components);
}

class LeaseFeed implements LeasedFeed {
  readonly #components: LeasedFeedComponents;
  #wanted = false;
  #closed = false;
  #lease: { readonly lease: KafkaLease; readonly detach: () => void } | undefined;
  #feed: Feed | undefined;
  /** Asking and giving up follow each other, however fast the wish changes. */
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
      // The checkpoint first: whoever gets the lease goes on from there.
      await this.#end();
      await lease.release();
    }
  }

  /**
   * A feed that ends may still have records under way when the next one begins, here or elsewhere. Both publish a
   * stream in its order and the later one begins no further than the earlier one was acknowledged, so the first
   * occurrences keep the order, and the doubles carry the same ids.
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
      this.#components.logger.warn({ err: error }, 'a feed did not close');
    }
  }
}
