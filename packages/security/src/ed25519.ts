import { bytesArgument } from './arguments.ts';
import { isStrictPoint, isStrictSignature } from './engine/ed25519-strict.ts';
import { currentEngine } from './engine/select.ts';

/**
 * Returns true when `signature` is the key's Ed25519 signature of `data` (RFC 8032), judged strictly: keys and points
 * of small order, non-canonical encodings and scalars above the order are false, with every engine. The same holds for
 * keys and signatures of the wrong length.
 *
 * @throws `invalid_argument`, reason `type`, for anything but a Uint8Array
 */
export function ed25519Verify(publicKey: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean {
  bytesArgument(publicKey, 'the public key');
  bytesArgument(data, 'the data');
  bytesArgument(signature, 'the signature');
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  if (!isStrictPoint(publicKey) || !isStrictSignature(signature)) return false;
  return currentEngine().ed25519Verify(publicKey, data, signature);
}
