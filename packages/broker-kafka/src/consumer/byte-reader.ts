/** The buffer ends before what was announced. */
export class TruncatedError extends Error {}

/** Reads the integers of a Kafka record: zig-zag varints and slices. */
export class ByteReader {
  readonly #buffer: Buffer;
  #at: number;
  readonly #end: number;

  constructor(buffer: Buffer, at: number = 0, end: number = buffer.length) {
    this.#buffer = buffer;
    this.#at = at;
    this.#end = end;
  }

  get position(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  byte(): number {
    if (this.#at >= this.#end) throw new TruncatedError('a record ends too early');
    return this.#buffer[this.#at++] ?? 0;
  }

  /** A zig-zag varint of up to 32 bits. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const next = this.byte();
      value |= (next & 0x7f) << shift;
      if (next < 0x80) return (value >>> 1) ^ -(value & 1);
    }
    throw new TruncatedError('a varint is longer than 5 bytes');
  }

  /** A zig-zag varint of up to 64 bits, as a number; exact up to 2^53. */
  varlong(): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 10; count++) {
      const next = this.byte();
      value += (next & 0x7f) * factor;
      if (next < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      factor *= 128;
    }
    throw new TruncatedError('a varint is longer than 10 bytes');
  }

  /** Bytes with their length in front; null for a negative length. Shares the memory of the buffer. */
  bytes(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    return this.slice(length);
  }

  slice(length: number): Buffer {
    const start = this.#at;
    if (length < 0 || length > this.#end - start) throw new TruncatedError('a record ends too early');
    this.#at = start + length;
    return this.#buffer.subarray(start, start + length);
  }
}
