const encoder = new TextEncoder();

/** Texts are encoded into it only to be counted. */
const scratch = new Uint8Array(8_192);

/**
 * Returns the length of a text in UTF-8. About as fast as `Buffer.byteLength`, faster for ASCII, and not bound to
 * Node.
 *
 * @param limit a text that cannot exceed it is not encoded; then the result is an upper bound
 */
export function utf8Bytes(text: string, limit = 0): number {
  const most = text.length * 3;
  if (most <= limit) return most;
  let bytes = 0;
  for (let at = 0; at < text.length; ) {
    const { read, written } = encoder.encodeInto(at === 0 ? text : text.slice(at), scratch);
    at += read;
    bytes += written;
  }
  return bytes;
}
