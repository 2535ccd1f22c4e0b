/** A bounded memory from topic to answer, all of one generation. */
export interface TopicCache<Answer> {
  /** The answer, if it was set in this generation. Asking for a newer generation forgets all older answers. */
  get(topic: string, generation: number): Answer | undefined;
  /** Sets an answer of the generation that was last asked for. */
  set(topic: string, answer: Answer): void;
}

/**
 * Keeps at least the `capacity / 2` topics used last, and at most `capacity`: two halves, of which the older
 * is thrown away whole. That costs nothing per hit, where a list in order of use would cost a relink.
 */
export function createTopicCache<Answer>(capacity: number): TopicCache<Answer> {
  return new HalvedCache(Math.max(1, capacity >> 1));
}

class HalvedCache<Answer> implements TopicCache<Answer> {
  readonly #half: number;
  #generation = 0;
  #young = new Map<string, Answer>();
  #old = new Map<string, Answer>();

  constructor(half: number) {
    this.#half = half;
  }

  get(topic: string, generation: number): Answer | undefined {
    if (generation !== this.#generation) {
      this.#generation = generation;
      // New maps rather than cleared ones: stale answers would keep subscribers alive that have gone.
      if (this.#young.size > 0) this.#young = new Map();
      if (this.#old.size > 0) this.#old = new Map();
      return undefined;
    }
    const hit = this.#young.get(topic);
    if (hit !== undefined) return hit;
    const older = this.#old.get(topic);
    if (older !== undefined) this.set(topic, older);
    return older;
  }

  set(topic: string, answer: Answer): void {
    if (this.#young.size >= this.#half) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(topic, answer);
  }
}
