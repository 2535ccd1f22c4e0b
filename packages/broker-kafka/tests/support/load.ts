import { GaterError } from '@esdb-gater/types';
import type { KafkaBroker } from '../../src/index.ts';
import { outgoing } from './nodes.ts';

/** The outcome of a numbered message. */
interface Sent {
  readonly id: string;
  readonly topic: string;
  readonly tookMs: number;
  /** Absent when it was acknowledged. */
  readonly code?: string;
}

const EVERY_MS = 5;
const TOPICS = 5;

/** Publishes numbered messages, 200 a second over five topics, until `stop` is called. */
export class Load {
  readonly sent: Sent[] = [];
  readonly #broker: KafkaBroker;
  readonly #pending = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #number = 0;
  /** The most records that ever waited, and their bytes. */
  mostQueued = 0;

  constructor(broker: KafkaBroker) {
    this.#broker = broker;
    this.#timer = setInterval(() => this.#publish(), EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#pending);
  }

  get acknowledged(): Sent[] {
    return this.sent.filter(({ code }) => code === undefined);
  }

  get refused(): Sent[] {
    return this.sent.filter(({ code }) => code !== undefined);
  }

  #publish(): void {
    const number = this.#number++;
    const id = `n${String(number).padStart(7, '0')}`;
    const topic = `t.${number % TOPICS}`;
    const began = performance.now();
    const done = (code?: string): void => {
      const tookMs = performance.now() - began;
      this.sent.push({ id, topic, tookMs, ...(code === undefined ? {} : { code }) });
    };
    const pending = this.#broker.append('system', outgoing(id, topic)).then(
      () => done(),
      (error: unknown) => done(GaterError.is(error) ? error.code : String(error)),
    );
    this.#pending.add(pending);
    void pending.finally(() => this.#pending.delete(pending));
    this.mostQueued = Math.max(this.mostQueued, this.#broker.stats().queued.records);
  }
}

/** Returns the problems of a log of `{ id, topic }`, which must contain all of `acknowledged`, in order per topic. */
export function check(
  acknowledged: readonly { readonly id: string; readonly topic: string }[],
  log: readonly { readonly id: string; readonly topic: string }[],
): { lost: string[]; reordered: string[]; doubled: number } {
  const seen = new Set<string>();
  const last = new Map<string, string>();
  const reordered: string[] = [];
  const mustBe = new Set(acknowledged.map(({ id }) => id));
  let doubled = 0;
  for (const { id, topic } of log) {
    if (seen.has(id)) {
      doubled += 1;
      continue;
    }
    seen.add(id);
    // A message that was not acknowledged may be at any place.
    if (!mustBe.has(id)) continue;
    if ((last.get(topic) ?? '') > id) reordered.push(id);
    last.set(topic, id);
  }
  return { lost: acknowledged.filter(({ id }) => !seen.has(id)).map(({ id }) => id), reordered, doubled };
}
