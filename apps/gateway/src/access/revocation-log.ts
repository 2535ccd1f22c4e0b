import type { KafkaBroker, KafkaLog, KafkaLogRecord } from '@esdb-gater/broker-kafka';
import { verifyRevocation } from '@esdb-gater/security';
import type { Clock, JsonValue, Logger, Timer } from '@esdb-gater/types';

/** Shares revocations among all nodes, in a compacted Kafka topic. */
export interface RevocationLog {
  /** True once everything that was in the topic at the start has been read. It stays true. */
  readonly ready: boolean;
  /** Resolves when {@link ready}, or at {@link close}. */
  whenReady(): Promise<void>;
  /** Resolves once Kafka has accepted the revocation. @throws `unavailable`, `overloaded` */
  append(revocation: JsonValue): Promise<void>;
  /** Soon writes the known revocations that the topic lacks, and retries until it has them. */
  complete(): void;
  close(): void;
}

export interface RevocationLogComponents {
  readonly kafka: Pick<KafkaBroker, 'openLog'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes a revocation of the topic, which may be invalid. */
  readonly onRevocation: (revocation: JsonValue) => void;
  /** Returns all revocations that this node knows. */
  readonly known: () => Iterable<JsonValue>;
}

const TOPIC = 'esdb_gater_revocations';

/** How long this node waits for another node to write a revocation that all nodes have received. */
const COMPLETE_AFTER_MS = 1_000;
const AGAIN_AFTER_MS = 5_000;

const DAY_MS = 86_400_000;
/**
 * A revocation of a token is needed as long as the token may live, one day. The margin allows for a wrong clock of a
 * broker, since a token is valid again when its revocation is skipped.
 */
const SKIPPED_AFTER_MS = 8 * DAY_MS;
/** Records are deleted later than they are skipped, so that no node deletes a record that another one still uses. */
const DELETED_AFTER_MS = 2 * SKIPPED_AFTER_MS;

/** Opens the topic and begins to read it. */
export function openRevocationLog(components: RevocationLogComponents): RevocationLog {
  return new SharedRevocations(components);
}

class SharedRevocations implements RevocationLog {
  readonly #components: RevocationLogComponents;
  readonly #log: KafkaLog;
  readonly #closing = new AbortController();
  readonly #read: Promise<void>;
  /** The keys whose newest record is a valid revocation. */
  readonly #inTopic = new Set<string>();
  readonly #outlived = new Set<string>();
  #ready = false;
  #timer: Timer | undefined;

  constructor(components: RevocationLogComponents) {
    this.#components = components;
    this.#log = components.kafka.openLog({ topic: TOPIC, onRecord: (record) => this.#take(record) });
    this.#read = this.#log.ready({ signal: this.#closing.signal }).then(
      () => this.#begin(),
      () => undefined,
    );
  }

  get ready(): boolean {
    return this.#ready;
  }

  whenReady(): Promise<void> {
    return this.#read;
  }

  async append(revocation: JsonValue): Promise<void> {
    await this.#log.append(keyOf(revocation), revocation);
  }

  complete(): void {
    if (this.#ready) this.#completeAfter(COMPLETE_AFTER_MS);
  }

  close(): void {
    this.#closing.abort(new Error('the revocations are closed'));
    this.#timer?.cancel();
    this.#log.close();
  }

  #begin(): void {
    this.#ready = true;
    this.#completeAfter(0);
    // Best effort: the next node that starts deletes what remains.
    for (const key of this.#outlived) this.#log.append(key).catch(() => undefined);
    this.#outlived.clear();
  }

  #take({ key, value, timeMs }: KafkaLogRecord): void {
    this.#inTopic.delete(key);
    if (value === undefined || !isValid(key, value)) return;
    this.#inTopic.add(key);
    const ageMs = this.#components.clock.now() - timeMs;
    const ends = typeof (value as { readonly cid?: unknown }).cid === 'string';
    if (ends && !this.#ready && ageMs > SKIPPED_AFTER_MS) {
      if (ageMs > DELETED_AFTER_MS) this.#outlived.add(key);
      return;
    }
    this.#outlived.delete(key);
    this.#components.onRevocation(value);
  }

  #completeAfter(delayMs: number): void {
    if (this.#closing.signal.aborted) return;
    this.#timer?.cancel();
    this.#timer = this.#components.clock.setTimer(() => void this.#completeNow(), delayMs, { unref: true });
  }

  async #completeNow(): Promise<void> {
    const missing = [...this.#components.known()].filter((one) => !this.#inTopic.has(keyOf(one)));
    try {
      for (const revocation of missing) await this.append(revocation);
    } catch (error) {
      this.#components.logger.warn(
        { err: error, missing: missing.length },
        'cannot write revocations to Kafka yet, trying again',
      );
      this.#completeAfter(AGAIN_AFTER_MS);
    }
  }
}

/** Returns the record key, revoker and subject: compaction keeps the last record of each. */
function keyOf(revocation: JsonValue): string {
  const { by, cid, iss } = revocation as {
    readonly by?: unknown;
    readonly cid?: unknown;
    readonly iss?: unknown;
  };
  return `${String(by)} ${String(cid ?? iss)}`;
}

/** Returns false for a record that somebody else wrote over a revocation. */
function isValid(key: string, value: JsonValue): boolean {
  try {
    const { by, subject } = verifyRevocation(value);
    return `${by} ${subject}` === key;
  } catch {
    return false;
  }
}
