import type { AnyEvent, CallOptions, Gater } from '@esdb-gater/gater';
import { requireInteger, waitUntil } from '@esdb-gater/primitives';
import { type RetryPolicyOptions, retryPolicy } from '@esdb-gater/retry';
import { type Clock, GaterError, type RecordedEvent } from '@esdb-gater/types';
import { clockOf, storeIdOf } from '../defaults.ts';
import { type EventSelection, queryOf, type RecordedOfType } from '../events.ts';
import { GenerationRun, type RunEnd, type RunParts } from './generation-run.ts';
import type { ProjectionHealth, ProjectionLag, ProjectionProgress } from './projection-health.ts';
import type { ProjectionGeneration, ProjectionStore } from './projection-store.ts';

export interface ProjectionParams<E extends AnyEvent, A extends AnyEvent, Type extends E['type'], Model> {
  readonly gater: Gater<E, A>;
  /** @default the store of the `Gater` (its option `storeId`), else 'default' */
  readonly storeId?: string;
  /** Names the checkpoint, 1 to 255 UTF-16 units. */
  readonly name: string;
  /** The version of `handle` and of its tables. A higher one builds the read model anew. From 1. @default 1 */
  readonly version?: number;
  /** The events that are wanted: a list of types, a query, or `all`. */
  readonly events: EventSelection<Type>;
  /** Where the read model and its checkpoint are. */
  readonly store: ProjectionStore<Model>;
  /** Applies an event. It must change nothing but `model`: after a failure it runs again. */
  readonly handle: (event: RecordedOfType<E, Type>, model: Model) => void | PromiseLike<void>;
  /**
   * How often an event is tried before the projection gives up, and when. A database or an event store that cannot be reached
   * is waited for.
   *
   * @default 100 ms up to 30 s, 10 attempts
   */
  readonly retry?: RetryPolicyOptions;
  /** Events of a transaction, at most. 1 to 10 000. @default 500 */
  readonly batchEvents?: number;
  /** A transaction takes no further event after this many milliseconds. @default 250 */
  readonly batchMs?: number;
  /** Is told of each commit: a place for metrics. What it throws is ignored. @default nothing */
  readonly onProgress?: (progress: ProjectionProgress) => void;
  /** @default that of a `TestGater`, else the system clock */
  readonly clock?: Clock;
  /** Returns a number from 0 (inclusive) to 1 (exclusive). @default Math.random */
  readonly random?: () => number;
}

/** Limits of a wait. */
export interface WaitOptions extends Pick<CallOptions, 'signal'> {
  /** @default none */
  readonly timeoutMs?: number;
}

/** A read model that follows the events of a store. */
export interface Projection extends AsyncDisposable {
  readonly name: string;
  /** Begins where the checkpoint is, and returns the projection. Does nothing while it runs. @throws what the store of the read model throws */
  start(): Promise<Projection>;
  /** Stops after the transaction under way. */
  stop(): Promise<void>;
  /**
   * Builds the read model anew from all events, next to the one that readers see, and switches when it has caught up. Resolves
   * after the switch. A rebuild that was interrupted goes on with the next `start`.
   *
   * @throws the error that ended it
   */
  rebuild(): Promise<void>;
  /** Resolves once the live generation has applied every event up to `position`, or without it, has caught up. @throws `timeout`, the signal's reason, `unavailable` when the projection does not run or has given up */
  reached(position?: number, options?: WaitOptions): Promise<void>;
  health(): ProjectionHealth;
  /** Asks the event store how far the projection is behind. */
  lag(options?: CallOptions): Promise<ProjectionLag>;
}

/**
 * Creates a projection: it applies each event of a selection exactly once to a read model, since the checkpoint is in the same
 * transaction. It runs after `start`.
 *
 * @throws `invalid_argument` for an invalid option
 */
export function projection<
  E extends AnyEvent,
  A extends AnyEvent,
  Model,
  const Type extends E['type'] = E['type'],
>(params: ProjectionParams<E, A, Type, Model>): Projection {
  return new RunningProjection(params as unknown as AnyParams<Model>);
}

type AnyParams<Model> = Omit<ProjectionParams<AnyEvent, AnyEvent, string, Model>, 'handle'> & {
  readonly handle: (event: RecordedEvent, model: Model) => void | PromiseLike<void>;
};

class RunningProjection<Model> implements Projection {
  readonly name: string;
  readonly #version: number;
  readonly #store: ProjectionStore<Model>;
  readonly #parts: Omit<RunParts<Model>, 'onCaughtUp'>;
  readonly #listeners = new Set<() => void>();
  #live: GenerationRun<Model> | undefined;
  #building: GenerationRun<Model> | undefined;
  /** A newer version is live. */
  #isReplaced = false;
  #isStopping = false;
  #starting: Promise<void> | undefined;

  constructor(params: AnyParams<Model>) {
    const { random = Math.random } = params;
    this.name = params.name;
    this.#version = requireInteger('version', params.version ?? 1, { min: 1 });
    this.#store = params.store;
    this.#parts = {
      name: params.name,
      gater: params.gater,
      storeId: storeIdOf(params),
      query: queryOf(params.events),
      store: params.store,
      handle: params.handle,
      policy: retryPolicy(params.retry),
      batchEvents: requireInteger('batchEvents', params.batchEvents ?? 500, { min: 1, max: 10_000 }),
      batchMs: requireInteger('batchMs', params.batchMs ?? 250, { min: 0, max: 60_000 }),
      clock: clockOf(params),
      random,
      onProgress(progress) {
        try {
          params.onProgress?.(progress);
        } catch {
          // The events are committed: metrics that fail do not stop a projection.
        }
      },
      onChange: () => this.#changed(),
    };
  }

  async start(): Promise<Projection> {
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
    });
    await this.#starting;
    return this;
  }

  async #start(): Promise<void> {
    this.#isStopping = false;
    const known = await this.#store.generations(this.name);
    const rows = known.length > 0 ? known : [await this.#store.create(this.name, this.#version)];
    const live = rows.find(({ isLive }) => isLive);
    const version = live?.version ?? 0;
    this.#isReplaced = version > this.#version;
    if (this.#isReplaced) return;
    if (live !== undefined && version === this.#version && !isRunning(this.#live)) {
      this.#live = this.#run(live);
    }
    const building = rows.find((row) => !row.isLive && row.version === this.#version);
    const isNeeded = building !== undefined || version < this.#version;
    if (isNeeded && !isRunning(this.#building)) {
      this.#building = this.#run(building ?? (await this.#store.create(this.name, this.#version)));
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#starting?.catch(() => undefined);
    await Promise.all([this.#live?.stop(), this.#building?.stop()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async rebuild(): Promise<void> {
    await this.start();
    if (this.#isReplaced) throw this.#notRunning();
    if (!isRunning(this.#building)) {
      this.#building = this.#run(await this.#store.create(this.name, this.#version));
    }
    const run = this.#building;
    if (run === undefined) throw this.#notRunning();
    await this.#until(() => this.#live === run || !isRunning(run));
    if (this.#live !== run) throw this.#notRunning();
  }

  async reached(position?: number, options: WaitOptions = {}): Promise<void> {
    const { clock } = this.#parts;
    const startMs = clock.monotonic();
    /** What is left of the time limit. */
    const limits = (): WaitOptions => {
      const { timeoutMs, signal } = options;
      return {
        ...(signal === undefined ? {} : { signal }),
        ...(timeoutMs === undefined
          ? {}
          : { timeoutMs: Math.max(0, timeoutMs - (clock.monotonic() - startMs)) }),
      };
    };
    const live = (): GenerationRun<Model> | undefined => this.#runningLive();
    if (position !== undefined && (live()?.reachedPosition ?? -1) >= position) return;
    await this.#until(() => live()?.status === 'live', limits());
    if (position === undefined || (live()?.reachedPosition ?? -1) >= position) return;
    const last = await this.#lastWanted(position, limits());
    await this.#until(() => (live()?.position ?? -1) >= last, limits());
  }

  /** Returns the live run; undefined while there is none yet. @throws `unavailable` when it has given up */
  #runningLive(): GenerationRun<Model> | undefined {
    const { status } = this.health();
    const hasEnded = status !== 'catching_up' && status !== 'live' && status !== 'retrying';
    if (hasEnded && !isRunning(this.#building)) throw this.#notRunning();
    return this.#live;
  }

  /** Returns the position of the last wanted event up to `position` that is not applied yet, 0 when there is none. */
  async #lastWanted(position: number, options: CallOptions): Promise<number> {
    const { gater, storeId, query } = this.#parts;
    let last = 0;
    let next: number | undefined = this.#live?.position ?? 0;
    while (next !== undefined && next < position) {
      const wanted = { storeId, after: next, ...(query === undefined ? {} : { query }) };
      const page = await gater.readAll(wanted, options);
      const events = page.events as unknown as readonly RecordedEvent[];
      last = events.findLast((event) => event.position <= position)?.position ?? last;
      next = page.next;
    }
    return last;
  }

  async #until(holds: () => boolean, options: WaitOptions = {}): Promise<void> {
    const { clock } = this.#parts;
    const inTime = await waitUntil(holds, (listener) => this.#listen(listener), { clock, ...options });
    if (!inTime) throw new GaterError('timeout', `the projection ${this.name} did not get there in time`);
  }

  health(): ProjectionHealth {
    const live = this.#live?.health();
    const rebuild = this.#building?.health();
    const status = this.#isReplaced ? 'replaced' : (live?.status ?? rebuild?.status ?? 'idle');
    return {
      name: this.name,
      status,
      ...(live === undefined ? {} : { live }),
      ...(rebuild === undefined ? {} : { rebuild }),
    };
  }

  async lag(options: CallOptions = {}): Promise<ProjectionLag> {
    const { gater, storeId, query, clock } = this.#parts;
    const after = this.#live?.position ?? 0;
    const wanted = { storeId, after, limit: 1, ...(query === undefined ? {} : { query }) };
    const [waiting, newest] = await Promise.all([
      gater.readAll(wanted, options),
      gater.readAll({ storeId, after: Number.MAX_SAFE_INTEGER, limit: 1 }, options),
    ]);
    const oldest = waiting.events[0] as RecordedEvent | undefined;
    if (oldest === undefined) return { positions: 0, ms: 0 };
    const positions = Math.max(1, newest.lastPosition - after);
    return { positions, ms: Math.max(0, clock.now() - oldest.epochUs / 1_000) };
  }

  #run(row: ProjectionGeneration): GenerationRun<Model> {
    const run: GenerationRun<Model> = new GenerationRun(
      { ...this.#parts, onCaughtUp: () => (run.isLive ? undefined : this.#switchTo(run)) },
      row,
    );
    void run.ended.then((end) => this.#ended(run, end));
    return run;
  }

  /** Makes a generation live that has caught up. */
  async #switchTo(run: GenerationRun<Model>): Promise<void> {
    if (!(await this.#store.switchTo(this.name, run.generation))) return;
    const former = this.#live;
    run.isLive = true;
    this.#live = run;
    this.#building = undefined;
    await former?.stop();
    this.#changed();
  }

  /** Another process may have switched to a generation of the same version: this one goes on with it. */
  #ended(run: GenerationRun<Model>, end: RunEnd): void {
    const isCurrent = run === this.#live || run === this.#building;
    if (end === 'replaced' && isCurrent && !this.#isStopping) {
      if (run === this.#building) this.#building = undefined;
      void this.start().catch(() => undefined);
    }
    this.#changed();
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #notRunning(status: string = this.health().status): GaterError {
    const { live, rebuild } = this.health();
    const why = live?.error?.message ?? rebuild?.error?.message;
    const text = `the projection ${this.name} is ${status}${why === undefined ? '' : `: ${why}`}`;
    return new GaterError('unavailable', text);
  }
}

function isRunning(run: Pick<GenerationRun<never>, 'status'> | undefined): boolean {
  if (run === undefined) return false;
  return run.status === 'catching_up' || run.status === 'live' || run.status === 'retrying';
}
