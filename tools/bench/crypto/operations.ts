/** The operations, with the target of the project: the speed relative to the peer. */
export interface Operation {
  readonly name: string;
  readonly title: string;
  /** The operation of the peer. */
  readonly peer: string;
  /** Least ratio for the native engine, over the rounds. */
  readonly nativeAim: number;
  /** The same for TypeScript; when it is 1, the median must be at least 0.95. */
  readonly typescriptAim: number;
}

export const OPERATIONS: readonly Operation[] = [
  {
    name: 'encode32',
    title: 'Base58 encode, 32 bytes',
    peer: 'bs58',
    nativeAim: 5,
    typescriptAim: 3,
  },
  {
    name: 'decode32',
    title: 'Base58 decode to 32 bytes',
    peer: 'bs58',
    nativeAim: 6,
    typescriptAim: 3,
  },
  {
    name: 'hmac64',
    title: 'HMAC-SHA256, 64 bytes',
    peer: 'createHmac, KeyObject',
    nativeAim: 5,
    typescriptAim: 1,
  },
  {
    name: 'hmac256',
    title: 'HMAC-SHA256, 256 bytes',
    peer: 'createHmac, KeyObject',
    nativeAim: 5,
    typescriptAim: 1,
  },
  {
    name: 'hmacMany256',
    title: 'HMAC-SHA256, 100 × 256 bytes',
    peer: 'createHmac in a loop',
    nativeAim: 8,
    typescriptAim: 1,
  },
  {
    name: 'hmac1024',
    title: 'HMAC-SHA256, 1 KiB',
    peer: 'createHmac, KeyObject',
    nativeAim: 4,
    typescriptAim: 1,
  },
  {
    name: 'verify300',
    title: 'Ed25519 verify, 300 bytes',
    peer: 'node:crypto, KeyObject',
    nativeAim: 2,
    typescriptAim: 1,
  },
  {
    name: 'token',
    title: 'token verified, not seen before',
    peer: 'node:crypto and bs58',
    nativeAim: 3,
    typescriptAim: 1,
  },
  {
    name: 'tokenAgain',
    title: 'token verified, seen before',
    peer: 'the same engine, not seen before',
    nativeAim: 50,
    typescriptAim: 50,
  },
];

/** Who does it. `addon` is `@esdb-gater/native` itself, the other two are `@esdb-gater/security` over either engine. */
export const CONTESTANTS = ['peer', 'addon', 'native', 'typescript'] as const;
export type ContestantName = (typeof CONTESTANTS)[number];

export function isContestant(name: string | undefined): name is ContestantName {
  return CONTESTANTS.some((one) => one === name);
}
