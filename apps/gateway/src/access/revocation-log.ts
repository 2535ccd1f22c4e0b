import type { KafkaBroker, KafkaLog, KafkaLogRecord } from '@esdb-gater/broker-kafka';
import { verifyRevocation } from '@esdb-gater/security';
import type { Clock, JsonValue, Logger, Timer } from '@esdb-gater/types';

/** The revocations that all nodes share, in a compacted Kafka topic of their own. */
export interface RevocationLog {
  /** True once everything has been taken that lay in the topic at the start. It stays true. */
  readonly ready: boolean;
  /** Resolves when {@link ready}, or at {@link close}. */
  whenReady(): Promise<void>;
  /** Resolves once Kafka has it. @throws `unavailable`, `overloaded` */
  append(revocation: JsonValue): Promise<void>;
  /** Soon writes what is known here and is not in the topic, until it is there. */
  complete(): void;
  close(): void;
}

export interface RevocationLogComponents {
  readonly kafka: Pick<KafkaBroker, 'openLog'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes what came; what is wrong with it is its business. */
  readonly onRevocation: (revocation: JsonValue) => void;
  /** All that this node knows of. */
  readonly known: () => Iterable<JsonValue>;
}

const TOPIC = 'esdb_gater_revocations';

/** So long others have the chance to write what all have heard, before this node does. */
const COMPLETE_AFTER_MS = 1_000;
const AGAIN_AFTER_MS = 5_000;

const DAY_MS = 86_400_000;
/**
 * A token lives a day, and so does the use of what revokes it. The rest is room for the clock of a broker, as what is
 * passed over here is valid again.
 */
const PASSED_OVER_MS = 8 * DAY_MS;
/** Later than it is passed over, so that no node still knows what another one deletes. */
const DELETED_MS = 2 * PASSED_OVER_MS;

/** Opens the topic and begins to read it. */
export function openRevocationLog(components: RevocationLogComponents): RevocationLog {
  return new SharedRevocations(components);
}

class SharedRevocations implements RevocationLog {
  readonly #components: RevocationLogComponents;
  readonly #log: KafkaLog;
  readonly #closing = new AbortController();
  readonly #read: Promise<void>;
  /** The keys whose newest record is a good revocation. */
  readonly #there = new Set<string>();
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
    // Best effort: the next node that starts does what fails here.
    for (const key of this.#outlived) this.#log.append(key).catch(() => undefined);
    this.#outlived.clear();
  }

  #take({ key, value, timeMs }: KafkaLogRecord): void {
    this.#there.delete(key);
    if (value === undefined || !isGood(key, value)) return;
    this.#there.add(key);
    const ageMs = this.#components.clock.now() - timeMs;
    const ends = typeof (value as { readonly cid?: unknown }).cid === 'string';
    if (ends && !this.#ready && ageMs > PASSED_OVER_MS) {
      if (ageMs > DELETED_MS) this.#outlived.add(key);
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
    const missing = [...this.#components.known()].filter((one) => !this.#there.has(keyOf(one)));
    try {
      for (const revocation of missing) await this.append(revocation);
    } catch (error) {
      this.#components.logger.warn(
        { err: error, missing: missing.length },
        'revocations are not in Kafka yet',
      );
      this.#completeAfter(AGAIN_AFTER_MS);
    }
  }
}

/** Who revokes what: of the same, only the last record need be kept. */
function keyOf(revocation: JsonValue): string {
  const { by, cid, iss } = revocation as {
    readonly by?: unknown;
    readonly cid?: unknown;
    readonly iss?: unknown;
  };
  return `${String(by)} ${String(cid ?? iss)}`;
}

/** False for what anybody may have written over a revocation. */
function isGood(key: string, value: JsonValue): boolean {
  try {
    const { by, subject } = verifyRevocation(value);
    return `${by} ${subject}` === key;
  } catch {
    return false;
  }
}
