import type { Clock, Logger, Timer } from '@esdb-gater/types';
import type { Session } from './connection/session.ts';
import { quoteName } from './schema/migrate.ts';

/** How often the newest position is asked for while notifications arrive, in case that one is lost. */
const LISTENING_POLL_MS = 2_000;

/** How often while none has arrived: behind a pooler of transactions they never do. */
const POLL_MS = 100;

/** How long a notification may be later than the poll that found its position. */
const NOTICE_LATE_MS = 1_000;

export interface CommitSignalComponents {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Returns the newest position. */
  readonly newest: () => Promise<number>;
  readonly notify: (position: number) => void;
}

/** Tells of commits of all nodes: by notifications of the database, and by asking from time to time. */
export class CommitSignal {
  readonly #components: CommitSignalComponents;
  #told = 0;
  /** The newest position that a notification told of. */
  #heard = 0;
  #listening = false;
  #timer: Timer | undefined;
  #closed = false;

  constructor(components: CommitSignalComponents) {
    this.#components = components;
  }

  /** Whether notifications arrive. */
  get isListening(): boolean {
    return this.#listening;
  }

  /** Listens on a new session. */
  async listen(session: Session, channel: string): Promise<void> {
    this.#listening = false;
    const { listener } = session;
    listener?.on('notification', ({ payload }) => {
      const position = Number(payload);
      if (!Number.isSafeInteger(position)) return;
      this.#listening = true;
      this.#heard = Math.max(this.#heard, position);
      this.tell(position);
    });
    await listener?.query(`LISTEN ${quoteName(channel)}`);
    this.#pollAfter(0);
  }

  /** Notes a commit of this node, or one that was heard of. */
  tell(position: number): void {
    if (position <= this.#told || this.#closed) return;
    this.#told = position;
    this.#components.notify(position);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #pollAfter(delayMs: number): void {
    this.#timer?.cancel();
    if (this.#closed) return;
    this.#timer = this.#components.clock.setTimer(() => void this.#poll(), delayMs, { unref: true });
  }

  async #poll(): Promise<void> {
    const { newest, clock } = this.#components;
    try {
      const position = await newest();
      this.tell(position);
      if (position > this.#heard && this.#listening) {
        clock.setTimer(() => this.#expectHeard(position), NOTICE_LATE_MS, { unref: true });
      }
    } catch {
      // Reported by health; a new session polls at once.
    }
    this.#pollAfter(this.#listening ? LISTENING_POLL_MS : POLL_MS);
  }

  /** Goes back to asking often when a commit was found that no notification told of. */
  #expectHeard(position: number): void {
    if (this.#heard >= position || !this.#listening || this.#closed) return;
    this.#listening = false;
    this.#components.logger.warn(
      { position },
      'notifications of PostgreSQL do not arrive; the store is polled',
    );
    this.#pollAfter(0);
  }
}
