/** Topics of the channel, so that every partition has some. */
export const TOPICS = 16;
const MESSAGE_BYTES = 128;
const HEAD_BYTES = '{"seq":,"text":""}'.length;

/** The pattern of all topics of the bench. */
export const PATTERN = 'bench.*';

/** The topic of message `sequence`, which is 0 or more. */
export function topicOf(sequence: number): string {
  return `bench.t${sequence % TOPICS}`;
}

/** 128 bytes of JSON with their number. */
export function messageOf(sequence: number): { readonly seq: number; readonly text: string } {
  return { seq: sequence, text: 'x'.repeat(MESSAGE_BYTES - HEAD_BYTES - String(sequence).length) };
}

/** A message that only asks whether its topic arrives: -1 for topic 0, -2 for topic 1, … */
export function probeOf(topic: number): { readonly seq: number } {
  return { seq: -1 - topic };
}

/** The messages of one receiver: each once, and in order within its topic. */
export class Receiver {
  /** Messages so far, probes left out. */
  count = 0;
  readonly #name: string;
  readonly #next: number[] = Array.from({ length: TOPICS }, (_, topic) => topic);
  readonly #probed = new Set<number>();

  constructor(name: string) {
    this.#name = name;
  }

  /** Returns true once a probe of every topic has been received, so that every partition is read. */
  get isReady(): boolean {
    return this.#probed.size === TOPICS;
  }

  /**
   * Takes the next one. False for a probe.
   *
   * @throws when a message is missing, comes again or comes too early
   */
  take(sequence: number): boolean {
    if (sequence < 0) {
      this.#probed.add(-1 - sequence);
      return false;
    }
    const topic = sequence % TOPICS;
    const expected = this.#next[topic];
    if (sequence !== expected) {
      throw new Error(`${this.#name}: ${sequence} came in topic ${topic}, expected ${expected}`);
    }
    this.#next[topic] = sequence + TOPICS;
    this.count += 1;
    return true;
  }
}
