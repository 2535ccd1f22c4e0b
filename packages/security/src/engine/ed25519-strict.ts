/*
 * Ed25519 libraries agree about good signatures and differ about odd ones: points of small order, encodings that
 * are not reduced, scalars above the order. All of these are refused here, before any engine sees them, so that
 * no signature is valid on one machine and invalid on another. It is what dalek calls `verify_strict`.
 */

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) =>
    Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  );
}

/** The y coordinates of the eight points of small order, little endian. The sign bit does not matter. */
const SMALL_ORDER: readonly Uint8Array[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
].map(fromHex);

/** The order of the group, little endian. */
const ORDER: Uint8Array = fromHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010');

function hasY(bytes: Uint8Array, y: Uint8Array): boolean {
  for (let i = 0; i < 31; i++) if (bytes[i] !== y[i]) return false;
  return ((bytes[31] ?? 0) & 0x7f) === y[31];
}

/** Returns true when y is below 2^255 - 19. */
function isReducedY(bytes: Uint8Array): boolean {
  if (((bytes[31] ?? 0) & 0x7f) !== 0x7f) return true;
  for (let i = 30; i > 0; i--) if (bytes[i] !== 0xff) return true;
  return (bytes[0] ?? 0) < 0xed;
}

/**
 * Returns true when 32 bytes may be a public key, or the first half of a signature: canonical, and not of small order.
 * The engine checks whether the point is on the curve.
 */
export function isStrictPoint(bytes: Uint8Array): boolean {
  return isReducedY(bytes) && !SMALL_ORDER.some((y) => hasY(bytes, y));
}

/** Returns true when the scalar (32 bytes, little endian) is below the order of the group. */
function isReducedScalar(bytes: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    const difference = (bytes[i] ?? 0) - (ORDER[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** Returns true when 64 bytes may be a signature: both halves in canonical form, the point not of small order. */
export function isStrictSignature(signature: Uint8Array): boolean {
  return isStrictPoint(signature.subarray(0, 32)) && isReducedScalar(signature.subarray(32));
}
