import { finishesWithin } from '@esdb-gater/primitives';
import type { Clock, Logger } from '@esdb-gater/types';
import type { FeedReplaySource } from './feed-replay-source.ts';

/**
 * Asks each store once for its newest position, so that a position made before the store's first event of this
 * life does not stand at its beginning.
 */
export interface NewestPositions {
  /** True when every store has answered, or failed to in time. Begins to ask those that are new. */
  asked(): boolean;
  /** Resolves when {@link asked} is true. */
  known(): Promise<void>;
}

/** A store that does not answer is not waited for any longer; its answer still counts when it comes. */
const PATIENCE_MS = 1_000;

/** A store that failed is asked again after this, without anybody waiting. */
const AGAIN_MS = 1_000;

/** @param onNewest called with what a store answered */
export function createNewestPositions(
  source: FeedReplaySource,
  clock: Clock,
  logger: Logger,
  onNewest: (storeId: string, position: number) => void,
): NewestPositions {
  return new AskedOnce(source, clock, logger, onNewest);
}

interface Question {
  /** Resolves when the store is not waited for any longer. */
  waited: Promise<void> | undefined;
  /** Monotonic; when a failed one may be asked again. */
  againMs: number | undefined;
}

class AskedOnce implements NewestPositions {
  readonly #source: FeedReplaySource;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onNewest: (storeId: string, position: number) => void;
  readonly #questions = new Map<string, Question>();

  constructor(
    source: FeedReplaySource,
    clock: Clock,
    logger: Logger,
    onNewest: (storeId: string, position: number) => void,
  ) {
    this.#source = source;
    this.#clock = clock;
    this.#logger = logger;
    this.#onNewest = onNewest;
  }

  asked(): boolean {
    return this.#open().length === 0;
  }

  async known(): Promise<void> {
    await Promise.all(this.#open());
  }

  /** What is still waited for. */
  #open(): Promise<void>[] {
    const open: Promise<void>[] = [];
    for (const storeId of this.#source.stores()) {
      let question = this.#questions.get(storeId);
      if (question === undefined) {
        question = { waited: undefined, againMs: undefined };
        this.#questions.set(storeId, question);
        question.waited = this.#ask(storeId, question);
      } else if (question.againMs !== undefined && this.#clock.monotonic() >= question.againMs) {
        question.againMs = undefined;
        void this.#ask(storeId, question);
      }
      if (question.waited !== undefined) open.push(question.waited);
    }
    return open;
  }

  async #ask(storeId: string, question: Question): Promise<void> {
    await finishesWithin(this.#newestOf(storeId, question), PATIENCE_MS, this.#clock, { unref: true });
    question.waited = undefined;
  }

  async #newestOf(storeId: string, question: Question): Promise<void> {
    try {
      this.#onNewest(storeId, await this.#source.newest(storeId));
    } catch (error) {
      question.againMs = this.#clock.monotonic() + AGAIN_MS;
      this.#logger.warn({ err: error, storeId }, 'a store did not tell its newest position');
    }
  }
}
