import { waitUntil } from '@esdb-gater/primitives';
import type { Clock, Registry, Timer } from '@esdb-gater/types';

/** How often a store is asked whose worker does not tell of commits. */
const POLL_MS = 250;

/** How often any other is asked: the worker that tells may have been replaced. */
const CHECK_MS = 1_000;

/** Tells the follows of one store when to read again. It listens to the store only while somebody waits. */
export class StoreWatch {
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #storeId: string;
  readonly #waiting = new Set<() => void>();
  readonly #reading = new Map<string, Promise<unknown>>();
  #commits = 0;
  #detach: (() => void) | undefined;
  #timer: Timer | undefined;

  constructor(registry: Registry, storeId: string, clock: Clock) {
    this.#registry = registry;
    this.#storeId = storeId;
    this.#clock = clock;
  }

  /** Grows with every commit, and from time to time. Take it before a read; `after` then waits for what the read missed. */
  get commits(): number {
    if (this.#detach === undefined) this.#listen();
    return this.#commits;
  }

  /** Waits until there may be more than a read found that began at `commits`. Resolves when the signal aborts. */
  async after(commits: number, signal: AbortSignal): Promise<void> {
    const onCommit = (listener: () => void): (() => void) => {
      this.#waiting.add(listener);
      return () => void this.#waiting.delete(listener);
    };
    await waitUntil(() => this.#commits !== commits, onCommit, { signal }).catch(() => {});
  }

  /** Shares a read among all that begin it before the next commit. */
  share<Result>(key: string, read: () => Promise<Result>): Promise<Result> {
    const name = `${this.#commits} ${key}`;
    let reading = this.#reading.get(name) as Promise<Result> | undefined;
    if (reading === undefined) {
      reading = read().finally(() => this.#reading.delete(name));
      this.#reading.set(name, reading);
    }
    return reading;
  }

  close(): void {
    this.#detach?.();
    this.#detach = undefined;
    this.#timer?.cancel();
  }

  #listen(): void {
    const onCommitted = this.#onCommitted();
    this.#detach = onCommitted?.(() => this.#wake()) ?? (() => {});
    this.#timer = this.#clock.setTimer(
      () => {
        this.close();
        // Whoever waits reads again, and listens again by that.
        this.#wake();
      },
      onCommitted === undefined ? POLL_MS : CHECK_MS,
      { unref: true },
    );
  }

  #onCommitted(): ((listener: () => void) => () => void) | undefined {
    try {
      const worker = this.#registry.pick(this.#storeId);
      return worker.onCommitted?.bind(worker);
    } catch {
      // No worker is live at present.
      return undefined;
    }
  }

  #wake(): void {
    this.#commits += 1;
    for (const listener of [...this.#waiting]) listener();
  }
}
