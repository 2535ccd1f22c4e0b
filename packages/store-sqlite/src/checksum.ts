import { crc32 } from 'node:zlib';

/**
 * CRC-32 of what a row says. SQLite checks its pages only for their structure: a flipped bit within a text would
 * be read as if it had been written so. `before` is the checksum of what stands before `text`.
 */
export function checksum(text: string, before = 0): number {
  return crc32(text, before);
}

/** What the checksum of a stream's row is taken over. */
export function streamChecksum(id: number, name: string, hiddenThrough: number): number {
  return crc32(`${id}\n${hiddenThrough}\n${name}`);
}
