import { FEED_START, isFurther } from '@esdb-gater/primitives';
import {
  type Clock,
  type FeedCheckpoint,
  type FeedPosition,
  GaterError,
  type Logger,
  type StorePoint,
  type Timer,
} from '@esdb-gater/types';
import { thinOut } from '../tail/thin-out.ts';

export interface ThrottledCheckpointOptions {
  readonly everyEvents: number;
  readonly delayMs: number;
  /** What it belongs to, for the log. @default 'the feed' */
  readonly owner?: string;
}

/**
 * Saves how far the feed has published, but not after each event: what is published again after a crash because the
 * checkpoint lagged behind carries the same ids. One save is in flight at a time.
 */
export class ThrottledCheckpoint {
  readonly #checkpoint: FeedCheckpoint;
  readonly #options: ThrottledCheckpointOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #saved: FeedPosition = FEED_START;
  #reached: StorePoint = FEED_START;
  #turn = 0;
  /** Points of the present history that were saved before, newest first. */
  #earlier: readonly StorePoint[] = [];
  #timer: Timer | undefined;
  #saving: Promise<void> | undefined;

  constructor(checkpoint: FeedCheckpoint, options: ThrottledCheckpointOptions, clock: Clock, logger: Logger) {
    this.#checkpoint = checkpoint;
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Earlier points of the same history, newest first. */
  get earlier(): readonly StorePoint[] {
    return this.#earlier;
  }

  async load(): Promise<StorePoint> {
    this.#saved = await this.#checkpoint.load();
    this.#reached = this.#saved;
    this.#turn = this.#saved.turn ?? 0;
    this.#earlier = this.#saved.earlier ?? [];
    return this.#saved;
  }

  /** Takes note that the broker accepted everything up to `point`. */
  reach(point: StorePoint): void {
    this.#reached = point;
    const isFar = point.position - this.#saved.position >= this.#options.everyEvents;
    if (isFar && this.#saving === undefined) void this.flush();
    else this.#schedule();
  }

  /** Goes back to `point`, where the store still has the history that was published. */
  goBack(point: StorePoint): void {
    this.#turn += 1;
    this.#reached = point;
    const before = this.#earlier.filter((one) => one.position < point.position);
    const { position, proof } = point;
    this.#earlier = proof === undefined ? before : [{ position, proof }, ...before];
    this.#schedule();
  }

  /** Returns what would be saved after going back to `point`. */
  positionAfter(point: StorePoint): FeedPosition {
    const earlier = this.#earlier.filter((one) => one.position < point.position);
    const { position, proof } = point;
    return {
      position,
      ...(proof === undefined ? {} : { proof }),
      turn: this.#turn + 1,
      ...(earlier.length === 0 ? {} : { earlier }),
    };
  }

  /** Saves what was reached. A failure is logged, and the next save makes up for it. */
  async flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#saving !== undefined) await this.#saving;
    if (!this.#isBehind()) return;
    this.#saving ??= this.#save();
    await this.#saving;
  }

  #isBehind(): boolean {
    return isFurther({ position: this.#reached.position, turn: this.#turn }, this.#saved);
  }

  async #save(): Promise<void> {
    const { position, proof } = this.#reached;
    const earlier = thinOut(this.#earlier, position);
    const feedPosition: FeedPosition = {
      position,
      ...(proof === undefined ? {} : { proof }),
      ...(this.#turn === 0 ? {} : { turn: this.#turn }),
      ...(earlier.length === 0 ? {} : { earlier }),
    };
    try {
      await this.#checkpoint.save(feedPosition);
      this.#saved = feedPosition;
      if (proof !== undefined && this.#turn === (feedPosition.turn ?? 0)) {
        this.#earlier = [{ position, proof }, ...earlier];
      }
    } catch (error) {
      const { owner = 'the feed' } = this.#options;
      this.#logger.warn({ err: GaterError.from(error), position }, `cannot save the checkpoint of ${owner}`);
    } finally {
      this.#saving = undefined;
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#saving !== undefined || !this.#isBehind()) return;
    this.#timer = this.#clock.setTimer(() => void this.flush(), this.#options.delayMs, { unref: true });
  }
}
