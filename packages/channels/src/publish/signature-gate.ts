import { describeType } from '@esdb-gater/primitives';
import {
  createNonceCache,
  createSecretRing,
  MESSAGE_SKEW_SECONDS,
  MESSAGE_TTL_SECONDS,
  type NonceCache,
  type SecretRing,
  type Secrets,
  verify,
  verifyMessage,
} from '@esdb-gater/security';
import { type ChannelName, type Clock, GaterError, type JsonValue, systemClock } from '@esdb-gater/types';

/** An accepted signature and its nonce. */
export interface SignaturePass {
  /** Frees the nonce, as the message was refused later. */
  release(): void;
}

/** Checks the signatures of messages. */
export interface SignatureGate {
  /**
   * Checks a message to publish: its signature must be bound to this channel and topic, and its nonce must be new.
   *
   * @throws `signature_required`, `invalid_signature` (with `reason`), `invalid_argument`
   */
  verify(channel: ChannelName, topic: string, message: JsonValue): SignaturePass;
  /**
   * Checks a message from a broker: MAC and binding, and its age at `timeMs` (Unix), when the broker took it. Does not
   * check the nonce.
   *
   * @throws as {@link verify}
   */
  check(channel: ChannelName, topic: string, message: JsonValue, timeMs: number): void;
}

const MEMBERS = ['signed_at', 'nonce', 'key_id', 'signature'] as const;

/** Returns true for an object with all four members of a signed message. */
export function carriesSignature(message: JsonValue): boolean {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return false;
  return MEMBERS.every((member) => Object.hasOwn(message, member));
}

export interface SignatureGateComponents {
  readonly clock?: Clock;
}

export interface SignatureGateOptions {
  /** @default the secrets set by `setSecret` of `@esdb-gater/security` at the time of the message */
  readonly secret?: Secrets;
  /** The lifetime of a signature. @default 300 */
  readonly ttlSeconds?: number;
}

/** Creates a gate that verifies HMAC signatures, with its own cache of nonces. */
export function createSignatureGate(
  components: SignatureGateComponents = {},
  options: SignatureGateOptions = {},
): SignatureGate {
  return new HmacGate(components.clock ?? systemClock, options);
}

class HmacGate implements SignatureGate {
  readonly #clock: Clock;
  readonly #ring: SecretRing | undefined;
  readonly #ttlSeconds: number;
  readonly #nonces: NonceCache;

  constructor(clock: Clock, { secret, ttlSeconds = MESSAGE_TTL_SECONDS }: SignatureGateOptions) {
    this.#clock = clock;
    this.#ring = secret === undefined ? undefined : createSecretRing(secret);
    this.#ttlSeconds = ttlSeconds;
    this.#nonces = createNonceCache({ clock }, { lifetimeMs: (ttlSeconds + MESSAGE_SKEW_SECONDS) * 1000 });
  }

  verify(channel: ChannelName, topic: string, message: JsonValue): SignaturePass {
    this.check(channel, topic, message, this.#clock.now());
    // It has verified, so it is an object with a string as its nonce.
    const { nonce } = message as { readonly nonce: string };
    return { release: this.#nonces.take(nonce) };
  }

  check(channel: ChannelName, topic: string, message: JsonValue, timeMs: number): void {
    if (typeof message !== 'object' || message === null || Array.isArray(message)) {
      throw new GaterError(
        'signature_required',
        `the message must be a signed object, got ${describeType(message)}`,
      );
    }
    const binding = { channel, topic, ttlSeconds: this.#ttlSeconds, now: new Date(timeMs) };
    if (this.#ring === undefined) verify(message, binding);
    else verifyMessage(message, { ...binding, secrets: this.#ring });
  }
}
