import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { compressionsAlgorithms } from '@platformatic/kafka';

/**
 * A batch may not unfold to more. A topic takes 2 MiB of a batch, which a hostile producer can blow up a
 * thousandfold.
 */
const MOST_BYTES = 64 * 1_048_576;

/**
 * The records of a compressed batch, by the codec in its attributes: gzip, snappy (plain and in the framing of
 * Java), lz4 and zstd, whatever another client has chosen.
 *
 * @throws when the codec is unknown, the data is damaged or unfolds to more than 64 MiB
 */
export function decompress(codec: number, data: Buffer): Buffer {
  switch (codec) {
    case 1:
      return gunzipSync(data, { maxOutputLength: MOST_BYTES });
    case 2:
      return compressionsAlgorithms.snappy.decompressSync(data);
    case 3:
      return compressionsAlgorithms.lz4.decompressSync(data);
    case 4:
      return zstdDecompressSync(data, { maxOutputLength: MOST_BYTES });
    default:
      throw new Error(`the compression codec ${codec} is unknown`);
  }
}
