const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * True when arrays and objects of this JSON lie more than `most` deep. `JSON.parse` takes any depth, but what
 * walks the value afterwards (`JSON.stringify` too) would run out of stack. Free for texts shorter than `most`.
 */
export function depthExceeds(json: Uint8Array, most: number): boolean {
  if (json.length <= most) return false;
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) {
      at = endOfString(json, at);
    } else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      if (depth > most) return true;
    } else if (byte === 0x5d || byte === 0x7d) {
      depth -= 1;
    }
  }
  return false;
}

function endOfString(json: Uint8Array, start: number): number {
  // indexOf runs at memory speed, where a loop over the bytes of long texts would not.
  let at = json.indexOf(QUOTE, start + 1);
  while (at !== -1 && isEscaped(json, at)) at = json.indexOf(QUOTE, at + 1);
  return at === -1 ? json.length : at;
}

function isEscaped(json: Uint8Array, at: number): boolean {
  let slashes = 0;
  while (json[at - 1 - slashes] === BACKSLASH) slashes += 1;
  return slashes % 2 === 1;
}
