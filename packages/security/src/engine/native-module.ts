/** The exports of `@esdb-gater/native`. They throw `TypeError` for wrong types, and return what both engines return. */
export interface NativeModule {
  readonly version: string;
  base58Encode(bytes: Uint8Array): string;
  base58Decode(text: string): Uint8Array;
  createHmacKey(key: Uint8Array): number;
  releaseHmacKey(keyId: number): unknown;
  hmacSha256(keyId: number, data: Uint8Array): Uint8Array;
  hmacSha256Many(keyId: number, list: readonly Uint8Array[]): Uint8Array[];
  ed25519PublicKey(seed: Uint8Array): Uint8Array;
  ed25519Sign(seed: Uint8Array, data: Uint8Array): Uint8Array;
  ed25519Verify(publicKey: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean;
  verifyToken(token: string, did: string): boolean;
  signMessage(keyId: number, text: string): string;
  verifyMessage(keyId: number, text: string, signature: string): boolean;
}

const FUNCTIONS = [
  'base58Encode',
  'base58Decode',
  'createHmacKey',
  'releaseHmacKey',
  'hmacSha256',
  'hmacSha256Many',
  'ed25519PublicKey',
  'ed25519Sign',
  'ed25519Verify',
  'verifyToken',
  'signMessage',
  'verifyMessage',
] as const satisfies readonly (keyof NativeModule)[];

/** Returns the module when it has every export that is used here. @throws Error that names the first one missing */
export function asNativeModule(loaded: unknown): NativeModule {
  if ((typeof loaded !== 'object' && typeof loaded !== 'function') || loaded === null) {
    throw new Error('it exports nothing');
  }
  const exports = loaded as Record<string, unknown>;
  const missing = FUNCTIONS.find((name) => typeof exports[name] !== 'function');
  if (missing !== undefined) throw new Error(`it does not export the function "${missing}"`);
  if (typeof exports['version'] !== 'string') throw new Error('it does not export the string "version"');
  return loaded as NativeModule;
}
