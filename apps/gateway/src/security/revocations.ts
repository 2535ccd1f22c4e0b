import type { ParamsOf } from '@esdb-gater/protocol';
import {
  createRevocationList,
  type RevocationList,
  type Secrets,
  sign,
  verifyRevocation,
} from '@esdb-gater/security';
import {
  type Channels,
  type Clock,
  type Delivery,
  GaterError,
  type JsonValue,
  type Logger,
} from '@esdb-gater/types';
import { writeFileAtomic } from '../node/atomic-file.ts';
import { type DataDir, readOptional } from '../node/data-dir.ts';

/** The revocations that this gateway knows, from its own callers and from the `security` channel. */
export interface Revocations {
  /** For the verification of tokens. */
  readonly isRevoked: RevocationList['isRevoked'];
  /**
   * Checks a revocation, signs it and publishes it on the `security` channel. Resolves once it is in force and
   * written down here.
   *
   * @throws `invalid_argument` (reason `revocation`), `unauthorized` (reason `invalid_signature`) for a wrong proof
   */
  publish(revocation: ParamsOf<'revokeToken'>): Promise<{ readonly id: string }>;
  /** Listens to the `security` channel from now on. Returns what ends it. */
  follow(channels: Channels): Promise<() => void>;
  /** Calls `listener` after each revocation that is new here. */
  onRevoked(listener: () => void): void;
}

export interface RevocationsComponents {
  readonly dataDir: DataDir;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface RevocationsOptions {
  /** What messages on the `security` channel are signed with. */
  readonly secret: Secrets;
  readonly trustedIssuers: readonly string[];
}

const FILE = 'revocations.json';
const CHANNEL = 'security';
const TOPICS = ['token.revoked', 'issuer.revoked'];

/** @throws `invalid_argument` when what was written down is damaged: without it revoked tokens would be good again */
export async function openRevocations(
  components: RevocationsComponents,
  options: RevocationsOptions,
): Promise<Revocations> {
  const file = components.dataDir.file(FILE);
  const list = createRevocationList({ clock: components.clock }, options, await stored(file));
  return new KeptRevocations(list, file, components, options);
}

async function stored(file: string): Promise<readonly unknown[]> {
  const text = await readOptional(file);
  if (text === undefined) return [];
  try {
    return JSON.parse(text) as unknown[];
  } catch (error) {
    throw new GaterError('invalid_argument', `${file} is damaged: it is no JSON`, {
      details: { reason: 'revocation' },
      cause: error,
    });
  }
}

class KeptRevocations implements Revocations {
  readonly isRevoked: RevocationList['isRevoked'];
  readonly #list: RevocationList;
  readonly #file: string;
  readonly #components: RevocationsComponents;
  readonly #options: RevocationsOptions;
  readonly #listeners: (() => void)[] = [];
  #channels: Channels | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    list: RevocationList,
    file: string,
    components: RevocationsComponents,
    options: RevocationsOptions,
  ) {
    this.#list = list;
    this.isRevoked = list.isRevoked;
    this.#file = file;
    this.#components = components;
    this.#options = options;
  }

  async publish(revocation: ParamsOf<'revokeToken'>): Promise<{ readonly id: string }> {
    const { topic } = verifyRevocation(revocation);
    await this.#take(revocation as unknown as JsonValue);
    const message = sign(revocation, { secret: this.#options.secret, channel: CHANNEL, topic });
    const channels = this.#channels;
    if (channels === undefined) throw new GaterError('unavailable', 'the channels are not open yet');
    const { id } = await channels.publish({
      channel: CHANNEL,
      topic,
      message: message as unknown as JsonValue,
    });
    return { id };
  }

  async follow(channels: Channels): Promise<() => void> {
    this.#channels = channels;
    const subscriber = channels.connect({
      sink: {
        write: (deliveries) => this.#received(deliveries),
        bufferedBytes: () => 0,
        overflow: () => this.#components.logger.error({}, 'revocations came faster than they were taken'),
      },
    });
    for (const topic of TOPICS) await subscriber.subscribe({ channel: CHANNEL, topic, from: 'earliest' });
    return () => subscriber.close();
  }

  onRevoked(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #received(deliveries: readonly Delivery[]): void {
    for (const { notice } of deliveries) {
      if (notice.method !== 'message') continue;
      this.#take(notice.params.message).catch((error: unknown) => {
        this.#components.logger.warn({ err: error, id: notice.params.id }, 'a revocation is without effect');
      });
    }
  }

  /** Takes effect at once; resolves when it is written down. */
  async #take(revocation: JsonValue): Promise<void> {
    if (this.#list.add(revocation) === undefined) return;
    for (const listener of this.#listeners) listener();
    this.#writing = this.#writing
      .catch(() => undefined)
      .then(() => writeFileAtomic(this.#file, `${JSON.stringify(this.#list)}\n`));
    await this.#writing;
  }
}
