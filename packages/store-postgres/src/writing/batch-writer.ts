import { nextEpochUs } from '@esdb-gater/event-store';
import { waitFor } from '@esdb-gater/primitives';
import { type Clock, GaterError, type Logger } from '@esdb-gater/types';
import type { PrimaryLink } from '../connection/primary-link.ts';
import type { Session } from '../connection/session.ts';
import { describeFailure, endsConnection, fromPostgres, outcomeUnknown } from '../postgres-errors.ts';
import { decodeAnswers } from './decode-answers.ts';
import { batchStatement, encodeBatch } from './encode-batch.ts';
import { encodeOne, oneStatement } from './encode-one.ts';
import type { WriteAnswer, WriteRequest } from './write-request.ts';

/** A commit that takes longer is shown in health. */
const SLOW_COMMIT_MS = 1_000;

export interface BatchWriterOptions {
  readonly link: PrimaryLink;
  /** As SQL. */
  readonly schema: string;
  readonly tamperEvident: boolean;
  /** How long a commit may take before its connection is given up, and its outcome counts as unknown. */
  readonly commitTimeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onCommitted: (position: number) => void;
}

/** Writes batches, one after the other, each with one call of `write_batch`, or of `write_one`. */
export class BatchWriter {
  readonly #options: BatchWriterOptions;
  readonly #batchSql: string;
  readonly #oneSql: string;
  /** When the batch in flight was sent, by the monotonic clock. */
  #sentMs: number | undefined;
  #trouble: string | undefined;

  constructor(options: BatchWriterOptions) {
    this.#options = options;
    this.#batchSql = batchStatement(options.schema);
    this.#oneSql = oneStatement(options.schema);
  }

  /** Why writing does not work, although the primary answers. */
  get trouble(): string | undefined {
    const sinceMs = this.#sentMs === undefined ? 0 : this.#options.clock.monotonic() - this.#sentMs;
    if (sinceMs < SLOW_COMMIT_MS) return this.#trouble;
    return `a commit has been waiting for ${(sinceMs / 1_000).toFixed(1)} s: for a standby of synchronous_standby_names, or for a lock`;
  }

  /**
   * Writes a batch.
   *
   * @throws `unavailable` when nothing was written; `timeout` when that is not known
   */
  async write(requests: readonly WriteRequest[]): Promise<readonly WriteAnswer[]> {
    const session = await this.#session();
    try {
      const answers = await this.#send(session, requests);
      this.#trouble = undefined;
      this.#notify(answers);
      return answers;
    } catch (error) {
      this.#trouble = (error as Error).message;
      // One request may have made the others fail: each gets a transaction of its own. Only when nothing was written.
      if (requests.length === 1 || !GaterError.is(error, 'internal')) throw error;
      const answers: WriteAnswer[] = [];
      for (const request of requests) answers.push(...(await this.write([request])));
      return answers;
    }
  }

  async #session(): Promise<Session> {
    try {
      return await this.#options.link.session();
    } catch (error) {
      this.#trouble = undefined;
      throw error;
    }
  }

  async #send(session: Session, requests: readonly WriteRequest[]): Promise<readonly WriteAnswer[]> {
    const { link, clock } = this.#options;
    const { writer } = session;
    let warning: string | undefined;
    const onNotice = (notice: {
      readonly code?: string | undefined;
      readonly message?: string | undefined;
    }): void => {
      // The function itself warns of nothing. The server does when a commit stops waiting for a standby.
      warning ??= notice.message ?? notice.code ?? 'a warning';
    };
    writer.on('notice', onNotice);
    this.#sentMs = clock.monotonic();
    try {
      const answers =
        (await this.#writeOne(session, requests)) ?? (await this.#writeBatch(session, requests));
      if (warning !== undefined) throw outcomeUnknown(`the server said at the commit: ${warning}`);
      return answers;
    } catch (error) {
      if (GaterError.is(error)) {
        if (warning === undefined) link.lose(session, error);
        throw error;
      }
      throw this.#failure(session, error);
    } finally {
      this.#sentMs = undefined;
      writer.off('notice', onNotice);
    }
  }

  /** Writes a batch of one event. Resolves to undefined when it was not written, or there are more. */
  async #writeOne(
    session: Session,
    requests: readonly WriteRequest[],
  ): Promise<readonly WriteAnswer[] | undefined> {
    const nowUs = this.#nowUs();
    const values = nowUs === null || this.#options.tamperEvident ? undefined : encodeOne(requests, nowUs);
    if (values === undefined) return undefined;
    const written = await this.#call(session, this.#oneSql, values);
    if (written === null) return undefined;
    const [version, position] = JSON.parse(String(written)) as [version: number, position: number];
    return [{ kind: 'written', parts: [{ version, position }] }];
  }

  async #writeBatch(session: Session, requests: readonly WriteRequest[]): Promise<readonly WriteAnswer[]> {
    const values = encodeBatch(requests, this.#nowUs(), this.#options.tamperEvident);
    return decodeAnswers(String(await this.#call(session, this.#batchSql, values)));
  }

  /** Calls a function on the connection that writes, and returns its result. */
  async #call(session: Session, text: string, values: readonly unknown[]): Promise<unknown> {
    const { commitTimeoutMs, clock } = this.#options;
    const query = { ...session.statements.query(text, values), rowMode: 'array' };
    const { rows } = await waitFor(session.writer.query<[unknown]>(query), {
      timeoutMs: commitTimeoutMs,
      timeoutError: (ms) => outcomeUnknown(`a commit took more than ${ms} ms`),
      clock,
    });
    return rows[0]?.[0];
  }

  /** Tells a refused transaction, which changed nothing, from one whose outcome the lost connection hides. */
  #failure(session: Session, error: unknown): GaterError {
    const { link, logger } = this.#options;
    const state = (error as { readonly code?: unknown }).code;
    if (endsConnection(error)) {
      link.lose(session, error);
      return state === '25006' ? fromPostgres(error) : outcomeUnknown(describeFailure(error), error);
    }
    logger.warn({ err: describeFailure(error) }, 'PostgreSQL refused a batch of writes');
    // Of these another request of the batch may be the cause: data that does not fit, or a damaged stream.
    const isOwn = typeof state === 'string' && /^2[23]/.test(state);
    if (isOwn) return new GaterError('internal', `PostgreSQL: ${describeFailure(error)}`, { cause: error });
    return fromPostgres(error);
  }

  #nowUs(): number | null {
    try {
      return nextEpochUs(this.#options.clock.now(), 0);
    } catch {
      return null;
    }
  }

  #notify(answers: readonly WriteAnswer[]): void {
    let newest = 0;
    for (const answer of answers) {
      if (answer.kind !== 'written') continue;
      for (const { position } of answer.parts) newest = Math.max(newest, position);
    }
    if (newest > 0) this.#options.onCommitted(newest);
  }
}
