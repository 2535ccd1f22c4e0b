import { describeType } from '@esdb-gater/primitives';
import { invalidArgument, isName } from '@esdb-gater/types';
import { isPlainObject, wellFormedArgument } from '../arguments.ts';
import type { HmacKey } from '../engine/engine.ts';
import { currentEngine } from '../engine/select.ts';
import { LruMap } from '../lru-map.ts';

/** A shared secret under its name. */
export interface NamedSecret {
  /** 1 to 255 UTF-16 units. */
  readonly keyId: string;
  /** A non-empty string; its UTF-8 bytes are the key. */
  readonly secret: string;
}

/** One secret with the key id `default`, or a list: the first secret signs, all of them verify. */
export type Secrets = string | readonly NamedSecret[];

/** The secrets that messages are signed with. */
export interface SecretRing {
  /** The first one signs. */
  readonly keyIds: readonly string[];
  /** @throws `invalid_argument`, reason `unknown_key` */
  sign(text: string, keyId?: string): { readonly keyId: string; readonly signature: string };
  has(keyId: string): boolean;
  /** Verifies in constant time. `signature` is canonical base64url of 32 bytes. Returns false for an unknown key. */
  verify(keyId: string, text: string, signature: string): boolean;
}

/** The key id of a secret that was given as a string. */
export const DEFAULT_KEY_ID = 'default';

const MAX_SECRETS = 100;
const utf8 = new TextEncoder();

class HmacSecretRing implements SecretRing {
  readonly keyIds: readonly string[];
  readonly #keys: ReadonlyMap<string, HmacKey>;

  constructor(keys: ReadonlyMap<string, HmacKey>) {
    this.#keys = keys;
    this.keyIds = Object.freeze([...keys.keys()]);
  }

  sign(text: string, keyId: string = this.keyIds[0] ?? DEFAULT_KEY_ID): { keyId: string; signature: string } {
    const key = this.#keys.get(keyId);
    if (key === undefined) {
      throw invalidArgument('unknown_key', `no secret has the key id "${keyId}"`, { keyId });
    }
    return { keyId, signature: key.macText(text) };
  }

  has(keyId: string): boolean {
    return this.#keys.has(keyId);
  }

  verify(keyId: string, text: string, signature: string): boolean {
    return this.#keys.get(keyId)?.verifyText(text, signature) === true;
  }
}

function namedSecrets(secrets: unknown, keyId: string): readonly NamedSecret[] {
  if (typeof secrets === 'string') return [{ keyId, secret: secrets }];
  if (Array.isArray(secrets) && secrets.length >= 1 && secrets.length <= MAX_SECRETS) return secrets;
  const what = Array.isArray(secrets) ? `a list of ${secrets.length}` : describeType(secrets);
  throw invalidArgument(
    'secret',
    `the secret must be a string or a list of 1 to ${MAX_SECRETS}, got ${what}`,
  );
}

/**
 * Prepares secrets. Keys rotate without loss when the new one is put first and the old one stays behind it for
 * as long as its messages live.
 *
 * @param keyId of a secret that is given as a string
 * @throws `invalid_argument`, reason `secret`: not a string, empty, a lone surrogate, a key id twice
 */
export function createSecretRing(secrets: Secrets, keyId: string = DEFAULT_KEY_ID): SecretRing {
  const keys = new Map<string, HmacKey>();
  for (const [i, entry] of namedSecrets(secrets, keyId).entries()) {
    const named: Record<string, unknown> = isPlainObject(entry) ? entry : {};
    const { keyId: name, secret } = named;
    if (!isName(name)) {
      throw invalidArgument(
        'secret',
        `the key id of secret ${i} must be 1 to 255 characters, got ${describeType(name)}`,
      );
    }
    if (typeof secret !== 'string' || secret === '') {
      throw invalidArgument('secret', `the secret "${name}" must be a non-empty string`);
    }
    if (keys.has(name)) throw invalidArgument('secret', `the key id "${name}" appears twice in the list`);
    keys.set(name, currentEngine().createHmacKey(utf8.encode(wellFormedArgument(secret, 'the secret'))));
  }
  return Object.freeze(new HmacSecretRing(keys));
}

let configured: SecretRing | undefined;

/**
 * Sets the secrets of `sign` and `verify` in this process, or with `undefined` removes them. Messages signed with
 * an earlier secret verify only as long as that one is in the list.
 *
 * @throws `invalid_argument`, reason `secret`
 */
export function setSecret(secrets: Secrets | undefined): void {
  configured = secrets === undefined ? undefined : createSecretRing(secrets);
}

interface Prepared {
  readonly engine: string;
  readonly keyId: string;
  readonly secret: string;
  readonly ring: SecretRing;
}

/** Caches prepared secrets: preparing costs more than signing, and callers pass the same secret again. */
const prepared: LruMap<string, Prepared> = new LruMap(64);
let recent: Prepared | undefined;

/** Returns the ring of a call: of its own secrets, else the configured one, if any. */
export function ringOf(secrets: Secrets | undefined, keyId: string = DEFAULT_KEY_ID): SecretRing | undefined {
  if (secrets === undefined) return configured;
  // A list is prepared anew: who has one sets it once, by `setSecret` or as a ring.
  if (typeof secrets !== 'string') return createSecretRing(secrets);
  const engine = currentEngine().name;
  if (recent?.secret === secrets && recent.keyId === keyId && recent.engine === engine) return recent.ring;
  const name = `${engine} ${keyId.length} ${keyId}${secrets}`;
  let known = prepared.get(name);
  if (known === undefined) {
    known = { engine, keyId, secret: secrets, ring: createSecretRing(secrets, keyId) };
    prepared.add(name, known);
  }
  recent = known;
  return known.ring;
}
