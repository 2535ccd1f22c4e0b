import type { Worker } from 'node:worker_threads';
import { retryUntilAborted, sleep } from '@esdb-gater/primitives';
import { type CallContext, GaterError } from '@esdb-gater/types';
import { CallQueue } from './call-queue.ts';
import type { ChainChange } from './chain-rows.ts';
import type { ResolvedOptions } from './options.ts';
import { startThread as startStoreThread } from './store-thread.ts';
import type { AnswerMessage, CallMessage, ThreadCalls, ThreadSetup } from './thread-messages.ts';

/** The messages in flight to a thread: one in progress, and one that is ready when it finishes. */
const UNANSWERED_MESSAGES = 2;

const RESTART_BASE_MS = 100;
const RESTART_MAX_MS = 5_000;

export interface ThreadClientHooks {
  /** Returns whether `onCommitted` is to get the events. @default false */
  wantsEvents?(): boolean;
  /** Called when events up to this position were committed, with their texts where they were wanted and are not too long. */
  onCommitted?(position: number, events: readonly string[] | undefined): void;
  /** Called when the thread finds the file damaged, perhaps several times. */
  onDamage?(damage: string): void;
}

type StartThread = typeof startStoreThread;

/**
 * Runs one thread and sends it calls. Calls from one turn of the event loop share a message, and so do calls that
 * arrived while the thread was busy. When the thread ends unexpectedly, its calls fail and it is restarted.
 */
export class ThreadClient<Calls extends ThreadCalls<Calls>> {
  readonly #setup: ThreadSetup;
  readonly #options: ResolvedOptions;
  readonly #hooks: ThreadClientHooks;
  readonly #startThread: StartThread;
  readonly #queue: CallQueue;
  #worker: Worker | undefined;
  #storeUuid = '';
  #unanswered = 0;
  #flushing = false;
  readonly #closing = new AbortController();
  #idle: (() => void) | undefined;
  #restarts = 0;
  #trouble: string | undefined;
  #locked = false;

  constructor(
    setup: ThreadSetup,
    options: ResolvedOptions,
    hooks: ThreadClientHooks = {},
    startThread: StartThread = startStoreThread,
  ) {
    this.#setup = setup;
    this.#options = options;
    this.#hooks = hooks;
    this.#startThread = startThread;
    this.#queue = new CallQueue(options);
  }

  get storeUuid(): string {
    return this.#storeUuid;
  }

  /** False while the thread restarts. */
  get alive(): boolean {
    return this.#worker !== undefined;
  }

  /** Why the last transaction failed; undefined after a successful one. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** True while calls wait because another program holds the write lock. */
  get locked(): boolean {
    return this.#locked;
  }

  /** Starts the thread, which opens the file once `before` has resolved. @throws `unavailable` */
  async start(before?: Promise<unknown>): Promise<void> {
    const { worker, storeUuid, chains } = await this.#startThread(this.#setup, before);
    if (chains !== undefined) this.#noteChains(chains);
    if (this.#closing.signal.aborted) {
      worker.postMessage({ kind: 'close' });
      return;
    }
    this.#storeUuid = storeUuid;
    this.#worker = worker;
    this.#unanswered = 0;
    let reason: unknown;
    worker.on('message', (message: AnswerMessage) => this.#onAnswers(message));
    worker.on('error', (error) => {
      reason = error;
    });
    worker.once('exit', () => this.#onExit(reason));
    // Pending calls keep the process alive, an open store does not.
    worker.unref();
  }

  /** Sends a call; `costBytes` is its approximate size in memory. @throws `unavailable`, `overloaded`, `timeout` */
  call<M extends keyof Calls>(
    method: M,
    args: Calls[M]['args'],
    costBytes: number,
    context?: CallContext,
  ): Promise<Calls[M]['result']> {
    if (this.#worker === undefined) return Promise.reject(this.#ended());
    if (this.#queue.size === 0) this.#worker.ref();
    const answer = this.#queue.add(method, args, costBytes, context);
    if (!this.#flushing && this.#unanswered < UNANSWERED_MESSAGES) {
      this.#flushing = true;
      // After the current callbacks, so that their calls share the message.
      process.nextTick(() => this.#flush());
    }
    return answer;
  }

  /** Waits for all answers, then ends the thread. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#queue.size > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    const worker = this.#worker;
    if (worker === undefined) return;
    worker.ref();
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.postMessage({ kind: 'close' });
    await ended;
  }

  #flush(): void {
    this.#flushing = false;
    while (this.#worker !== undefined && this.#unanswered < UNANSWERED_MESSAGES && this.#queue.hasUnsent) {
      const calls = this.#queue.take();
      const withEvents = this.#hooks.wantsEvents?.() === true;
      const message: CallMessage = { kind: 'calls', nowMs: this.#options.clock.now(), withEvents, calls };
      this.#unanswered += 1;
      this.#worker.postMessage(message);
    }
  }

  #onAnswers(message: AnswerMessage): void {
    this.#restarts = 0;
    this.#locked = message.locked === true;
    if (message.locked === true) this.#noteTrouble(message.trouble);
    if (message.damage !== undefined) this.#hooks.onDamage?.(message.damage);
    if (message.last) {
      this.#unanswered -= 1;
      this.#noteTrouble(message.trouble);
      this.#flush();
    }
    for (const answer of message.answers) this.#queue.answer(answer);
    if (message.committed !== undefined) this.#hooks.onCommitted?.(message.committed, message.events);
    this.#rest();
  }

  /** Lets the process exit and `close` continue when no calls are pending. */
  #rest(): void {
    if (this.#queue.size > 0) return;
    // While it closes the thread keeps the process alive, until it has ended.
    if (!this.#closing.signal.aborted) this.#worker?.unref();
    this.#idle?.();
    this.#idle = undefined;
  }

  #noteChains(change: ChainChange): void {
    const { file, storeId } = this.#setup;
    const { logger } = this.#options;
    if (change === 'begun') logger.info({ storeId, file }, 'the hash chains begin with the next event');
    else
      logger.warn(
        { storeId, file },
        'the hash chains end here, since the store is not tamper-evident any more',
      );
  }

  #noteTrouble(trouble: string | undefined): void {
    const { file, storeId } = this.#setup;
    if (trouble !== undefined && this.#trouble === undefined) {
      this.#options.logger.error({ storeId, file, trouble }, 'the store cannot write');
    } else if (trouble === undefined && this.#trouble !== undefined) {
      this.#options.logger.info({ storeId, file }, 'the store can write again');
    }
    this.#trouble = trouble;
  }

  #onExit(reason: unknown): void {
    this.#worker = undefined;
    this.#locked = false;
    if (!this.#closing.signal.aborted) {
      const { role, storeId, file } = this.#setup;
      const err = GaterError.from(reason);
      this.#options.logger.error({ storeId, file, role, err }, 'a thread of the store ended; restarting it');
      void this.#restart();
    }
    this.#queue.failAll(this.#ended(reason));
    this.#rest();
  }

  async #restart(): Promise<void> {
    const { clock, logger } = this.#options;
    const { signal } = this.#closing;
    // Reset only by the first answer, because a thread that starts may end again at once.
    const backoff = (): number => Math.min(RESTART_BASE_MS * 2 ** this.#restarts++, RESTART_MAX_MS);
    await sleep(backoff(), clock, signal, { unref: true }).catch(() => undefined);
    await retryUntilAborted(() => this.start(), {
      clock,
      signal,
      backoff,
      onFailure: (error) => {
        const { role, storeId, file } = this.#setup;
        logger.error({ storeId, file, role, err: error }, 'cannot start a thread of the store');
      },
    });
  }

  #ended(cause?: unknown): GaterError {
    const { role, file } = this.#setup;
    return new GaterError('unavailable', `the ${role} thread of the file ${file} ended and is restarting`, {
      cause,
    });
  }
}
