/** Mixes the bits of a 32-bit number: the finaliser of MurmurHash3. */
export function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Returns a 32-bit hash of a text, the same on every node: FNV-1a over its UTF-16 units, mixed. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return mix(hash);
}

/** Combines a hash with a safe integer. */
export function hashWith(hash: number, value: number): number {
  return mix(mix(hash ^ value) ^ Math.floor(value / 0x1_0000_0000));
}
