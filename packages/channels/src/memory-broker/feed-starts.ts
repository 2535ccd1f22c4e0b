import { finishesWithin } from '@esdb-gater/primitives';
import type { Clock, FeedReplaySource, Logger, StorePoint } from '@esdb-gater/types';

/**
 * Requests the feed position of each store once, so that a position created before the store's first event of this run
 * does not point to the store's beginning.
 */
export interface FeedStarts {
  /** Returns true when every store was asked, and answered or was waited for long enough. Asks new stores. */
  asked(): boolean;
  /** Resolves when {@link asked} is true. */
  known(): Promise<void>;
}

/** How long a store is waited for. A later answer still counts. */
const PATIENCE_MS = 1_000;

/** When a store that failed is asked again, without anybody waiting. */
const AGAIN_MS = 1_000;

/**
 * Creates a list without answers.
 *
 * @param onKnown is called with each answer
 */
export function createFeedStarts(
  source: Pick<FeedReplaySource, 'stores' | 'fedTo'>,
  clock: Clock,
  logger: Logger,
  onKnown: (storeId: string, point: StorePoint) => void,
): FeedStarts {
  return new AskedOnce(source, clock, logger, onKnown);
}

interface Question {
  /** Resolves when the request has finished or is given up. */
  waited: Promise<void> | undefined;
  /** When a failed request may be repeated, on the monotonic clock. */
  againMs: number | undefined;
}

class AskedOnce implements FeedStarts {
  readonly #source: Pick<FeedReplaySource, 'stores' | 'fedTo'>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onKnown: (storeId: string, point: StorePoint) => void;
  readonly #questions = new Map<string, Question>();

  constructor(
    source: Pick<FeedReplaySource, 'stores' | 'fedTo'>,
    clock: Clock,
    logger: Logger,
    onKnown: (storeId: string, point: StorePoint) => void,
  ) {
    this.#source = source;
    this.#clock = clock;
    this.#logger = logger;
    this.#onKnown = onKnown;
  }

  asked(): boolean {
    return this.#open().length === 0;
  }

  async known(): Promise<void> {
    await Promise.all(this.#open());
  }

  /** Returns the questions that are still waited for. */
  #open(): Promise<void>[] {
    const open: Promise<void>[] = [];
    const storeIds = this.#source.stores();
    if (this.#questions.size > storeIds.length) this.#forgetAllBut(new Set(storeIds));
    for (const storeId of storeIds) {
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

  #forgetAllBut(storeIds: ReadonlySet<string>): void {
    for (const storeId of this.#questions.keys()) {
      if (!storeIds.has(storeId)) this.#questions.delete(storeId);
    }
  }

  async #ask(storeId: string, question: Question): Promise<void> {
    await finishesWithin(this.#answer(storeId, question), PATIENCE_MS, this.#clock, { unref: true });
    question.waited = undefined;
  }

  async #answer(storeId: string, question: Question): Promise<void> {
    try {
      this.#onKnown(storeId, await this.#source.fedTo(storeId));
    } catch (error) {
      question.againMs = this.#clock.monotonic() + AGAIN_MS;
      this.#logger.warn({ err: error, storeId }, 'cannot read the feed position of a store');
    }
  }
}
