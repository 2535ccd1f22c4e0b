import { type Clock, type FeedCheckpoint, GaterError, type Logger, type Timer } from '@esdb-gater/types';

export interface ThrottledCheckpointOptions {
  readonly everyEvents: number;
  readonly delayMs: number;
}

/**
 * Saves how far the feed has published, but not after each event: what is published again after a crash because the
 * checkpoint lagged carries the same ids. One save is under way at a time.
 */
export class ThrottledCheckpoint {
  readonly #checkpoint: FeedCheckpoint;
  readonly #options: ThrottledCheckpointOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #saved = 0;
  #reached = 0;
  #timer: Timer | undefined;
  #saving: Promise<void> | undefined;

  constructor(checkpoint: FeedCheckpoint, options: ThrottledCheckpointOptions, clock: Clock, logger: Logger) {
    this.#checkpoint = checkpoint;
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
  }

  async load(): Promise<number> {
    this.#saved = await this.#checkpoint.load();
    this.#reached = Math.max(this.#reached, this.#saved);
    return this.#saved;
  }

  /** Everything up to here was accepted by the broker. */
  reach(position: number): void {
    this.#reached = Math.max(this.#reached, position);
    if (this.#reached - this.#saved >= this.#options.everyEvents) void this.flush();
    else this.#schedule();
  }

  /** Saves what was reached. A failure is logged, and the next save makes up for it. */
  async flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#saving !== undefined) {
      await this.#saving;
    }
    if (this.#reached <= this.#saved) return;
    this.#saving ??= this.#save(this.#reached);
    await this.#saving;
  }

  async #save(position: number): Promise<void> {
    try {
      await this.#checkpoint.save(position);
      this.#saved = position;
    } catch (error) {
      this.#logger.warn(
        { err: GaterError.from(error), position },
        'the checkpoint of the feed was not saved',
      );
    } finally {
      this.#saving = undefined;
    }
    if (this.#reached > this.#saved) this.#schedule();
  }

  #schedule(): void {
    if (this.#reached <= this.#saved || this.#timer !== undefined || this.#saving !== undefined) return;
    this.#timer = this.#clock.setTimer(() => void this.flush(), this.#options.delayMs, { unref: true });
  }
}
