import { retryUntilAborted, waitFor } from '@esdb-gater/primitives';
import { type CallContext, type Clock, GaterError, type Logger, type Timer } from '@esdb-gater/types';
import type pg from 'pg';
import { describeFailure, fromPostgres } from '../postgres-errors.ts';
import { type ConnectionSettings, describeHost } from './connection-url.ts';
import { findPrimary, Timelines } from './find-primary.ts';
import { openSession, type Session } from './session.ts';

/** The delays between attempts to find a primary: short, because a promotion takes a moment. */
const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 1_000;

/** How often the other hosts are asked whether one of them was promoted. */
const LOOK_AROUND_MS = 5_000;

export interface PrimaryLinkOptions {
  readonly settings: ConnectionSettings;
  readonly maxReaders: number;
  readonly lockTimeoutMs: number;
  /** How long a call waits for a primary before it fails. */
  readonly waitForPrimaryMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Prepares a new session, before calls get it. What it throws ends the session. */
  readonly prepare: (session: Session) => Promise<void>;
}

/**
 * Keeps the connections to the primary: finds it among the hosts, follows a promotion, and never goes back to a primary
 * that was replaced.
 */
export class PrimaryLink {
  readonly #options: PrimaryLinkOptions;
  readonly #timelines = new Timelines();
  readonly #closing = new AbortController();
  readonly #connected = Promise.withResolvers<void>();
  #session: Session | undefined;
  #connecting: Promise<Session | undefined> | undefined;
  #problem: string | undefined = 'not connected yet';
  /** The problem that was logged last, so that the same one is logged once. */
  #logged: string | undefined;
  #timer: Timer | undefined;

  constructor(options: PrimaryLinkOptions) {
    this.#options = options;
    // Not everybody waits for it.
    this.#connected.promise.catch(() => {});
  }

  /** Resolves at the first connection. Rejects when the link is closed before. */
  get connected(): Promise<void> {
    return this.#connected.promise;
  }

  /** Why there is no primary; undefined while there is one. */
  get problem(): string | undefined {
    return this.#session === undefined ? this.#problem : undefined;
  }

  /** Connects for the first time. @throws `unavailable` when that does not succeed in time, or the error of `prepare` */
  async open(withinMs: number): Promise<void> {
    let last: unknown;
    const connected = this.#connect((error) => {
      last = error;
      // Waiting does not help: this ends the attempts.
      if (GaterError.is(error) && !error.retriable) throw error;
    });
    try {
      await waitFor(connected, { timeoutMs: withinMs, clock: this.#options.clock });
    } catch (error) {
      throw last === undefined ? fromPostgres(error) : fromPostgres(last);
    }
    if (this.#options.settings.hosts.length > 1) this.#lookAroundLater();
  }

  /** Connects as soon as there is a primary. */
  openLater(): void {
    void this.#connect();
    if (this.#options.settings.hosts.length > 1) this.#lookAroundLater();
  }

  /** Returns the session, and waits a moment for one. @throws `unavailable`, `timeout` */
  async session(context?: CallContext): Promise<Session> {
    if (this.#session !== undefined) return this.#session;
    const { waitForPrimaryMs, clock } = this.#options;
    const session = await waitFor(this.#connecting ?? Promise.resolve(undefined), {
      signal: context?.signal,
      timeoutMs: Math.min(waitForPrimaryMs, context?.deadlineMs ?? waitForPrimaryMs),
      timeoutError: () => this.#unavailable(),
      clock,
    });
    return session ?? this.#throwUnavailable();
  }

  /** Ends a session and looks for the primary anew. Does nothing when that session was ended before. */
  lose(session: Session, error: unknown): void {
    if (this.#session !== session) return;
    const why = describeFailure(error);
    this.#options.logger.warn({ err: why }, 'the connection to PostgreSQL was lost');
    this.#logged = why;
    this.#session = undefined;
    this.#problem = why;
    session.end();
    void this.#connect();
  }

  close(): void {
    this.#closing.abort();
    this.#timer?.cancel();
    this.#session?.end();
    this.#session = undefined;
    this.#problem = 'closed';
    this.#connected.reject(new GaterError('unavailable', 'the store is closed'));
  }

  #connect(onFailure?: (error: unknown) => void): Promise<Session | undefined> {
    const { clock } = this.#options;
    this.#connecting = retryUntilAborted(() => this.#attempt(), {
      clock,
      signal: this.#closing.signal,
      backoff: (failures) => Math.min(FIRST_DELAY_MS * 2 ** Math.min(failures, 10), MAX_DELAY_MS),
      onFailure: (error) => {
        this.#problem = describeFailure(error);
        if (onFailure === undefined) this.#logProblem();
        else onFailure(error);
      },
    });
    return this.#connecting;
  }

  async #attempt(): Promise<Session> {
    const { settings, clock, logger, maxReaders, lockTimeoutMs, prepare } = this.#options;
    const primary = await findPrimary(settings, { timelines: this.#timelines, clock, logger });
    let lost: Error | undefined;
    let opened: Session | undefined;
    const options = { maxReaders, lockTimeoutMs, timelines: this.#timelines, logger };
    const session = await openSession(primary, options, (error) => {
      lost ??= error;
      if (opened !== undefined) this.lose(opened, error);
    });
    opened = session;
    try {
      await prepare(session);
      if (lost !== undefined) throw lost;
      if (this.#closing.signal.aborted) throw new GaterError('unavailable', 'the store is closed');
    } catch (error) {
      session.end();
      throw error;
    }
    this.#session = session;
    this.#connected.resolve();
    if (this.#logged !== undefined) {
      logger.info({ host: describeHost(primary.endpoint) }, 'connected to the primary of PostgreSQL');
    }
    this.#logged = undefined;
    return session;
  }

  /** Logs why there is no primary, whenever the reason changes. */
  #logProblem(): void {
    if (this.#problem === this.#logged) return;
    this.#logged = this.#problem;
    this.#options.logger.warn({ err: this.#problem }, 'cannot use PostgreSQL, trying again');
  }

  #lookAroundLater(): void {
    const { clock } = this.#options;
    this.#timer = clock.setTimer(() => void this.#lookAround(), LOOK_AROUND_MS, { unref: true });
  }

  /** Leaves a primary that was replaced while its connections stayed open. */
  async #lookAround(): Promise<void> {
    const session = this.#session;
    const { settings, clock, logger } = this.#options;
    if (session !== undefined) {
      const components = { timelines: this.#timelines, clock, logger };
      const newest = await findPrimary(settings, components).catch(() => undefined);
      if (newest !== undefined && this.#timelines.isOld(session.primary.state)) {
        this.lose(session, new Error('another host was promoted'));
      }
    }
    if (!this.#closing.signal.aborted) this.#lookAroundLater();
  }

  #unavailable(): GaterError {
    return new GaterError('unavailable', `PostgreSQL: ${this.#problem ?? 'not connected'}`);
  }

  #throwUnavailable(): never {
    throw this.#unavailable();
  }
}

/** A row as an array of the columns that its statement selects. */
export type Row = readonly unknown[];

/** Runs a statement that reads, and returns its rows as arrays. */
export async function readRows<Columns extends Row>(
  client: pg.Pool | pg.ClientBase,
  query: pg.QueryConfig,
): Promise<Columns[]> {
  const { rows } = await client.query({ ...query, rowMode: 'array' });
  return rows as unknown as Columns[];
}
