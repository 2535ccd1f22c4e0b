import { describeType } from '@esdb-gater/primitives';
import { invalidArgument } from '@esdb-gater/types';
import { bytesArgument } from './arguments.ts';
import { isStrictPoint } from './engine/ed25519-strict.ts';
import { currentEngine } from './engine/select.ts';
import { LruMap } from './lru-map.ts';

const PREFIX = 'did:key:z';
/** The multicodec `ed25519-pub`, 0xed as a varint, before the key. Such 34 bytes are always 47 characters. */
const CODEC = [0xed, 0x01] as const;
const KEY_BYTES = 32;
const DID_UNITS: number = PREFIX.length + 47;

/** Caches parsed DIDs: few issuers sign most tokens. */
const parsed: LruMap<string, Uint8Array> = new LruMap(1_000);

/** Formats 32 bytes that are checked already as a DID. */
export function formatDidKey(publicKey: Uint8Array): string {
  const bytes = new Uint8Array(CODEC.length + KEY_BYTES);
  bytes.set(CODEC);
  bytes.set(publicKey, CODEC.length);
  return PREFIX + currentEngine().base58Encode(bytes);
}

/** Returns the key of a DID, not to be changed; `undefined` when it is not a canonical did:key of an Ed25519 key. */
export function parseDidKey(did: string): Uint8Array | undefined {
  if (did.length !== DID_UNITS || !did.startsWith(PREFIX)) return undefined;
  const known = parsed.get(did);
  if (known !== undefined) return known;
  const bytes = currentEngine().base58Decode(did.slice(PREFIX.length));
  if (bytes?.length !== CODEC.length + KEY_BYTES || bytes[0] !== CODEC[0] || bytes[1] !== CODEC[1])
    return undefined;
  const publicKey = bytes.slice(CODEC.length);
  if (!isStrictPoint(publicKey)) return undefined;
  parsed.add(did, publicKey);
  return publicKey;
}

/** Encodes and decodes Ed25519 keys as did:key: `did:key:z` and the Base58 of 0xed 0x01 and the key. */
export const didKey: {
  encode(publicKey: Uint8Array): string;
  decode(did: string): Uint8Array;
  is(value: unknown): value is string;
} = Object.freeze({
  /**
   * @param publicKey 32 bytes
   * @throws `invalid_argument`, reason `type`, `length` or `public_key` (not canonical, or of small order)
   */
  encode(publicKey: Uint8Array): string {
    const bytes = bytesArgument(publicKey, 'the public key', KEY_BYTES);
    if (!isStrictPoint(bytes)) {
      throw invalidArgument('public_key', 'the public key must be canonical and not of small order');
    }
    return formatDidKey(bytes);
  },
  /**
   * Returns a copy of the 32 bytes of the key.
   *
   * @throws `invalid_argument`, reason `did`
   */
  decode(did: string): Uint8Array {
    const publicKey = typeof did === 'string' ? parseDidKey(did) : undefined;
    if (publicKey === undefined) {
      const what = typeof did === 'string' ? 'another string' : describeType(did);
      throw invalidArgument(
        'did',
        `the DID must be the did:key of an Ed25519 key ("did:key:z6Mk…", 56 characters), got ${what}`,
      );
    }
    return publicKey.slice();
  },
  /** Returns true when `value` is a canonical did:key of an Ed25519 key. */
  is(value: unknown): value is string {
    return typeof value === 'string' && parseDidKey(value) !== undefined;
  },
});
