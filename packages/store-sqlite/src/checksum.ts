import { crc32 } from 'node:zlib';

/**
 * Returns the CRC-32 of a text. SQLite checks only the structure of its pages, so it would return a text with a flipped
 * bit as if it had been written that way. `before` is the checksum of the preceding text.
 */
export function checksum(text: string, before = 0): number {
  return crc32(text, before);
}

/** Returns the checksum of a stream's row. */
export function streamChecksum(id: number, name: string, hiddenThrough: number): number {
  return crc32(`${id}\n${hiddenThrough}\n${name}`);
}
