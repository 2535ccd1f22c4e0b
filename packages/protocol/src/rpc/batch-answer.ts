import { utf8Bytes } from '@esdb-gater/primitives';
import { GaterError } from '@esdb-gater/types';
import { encodeError, type RpcId } from './json-rpc.ts';
import { toRpcError } from './rpc-errors.ts';

interface Slot {
  readonly id: RpcId;
  text: string | undefined;
  bytes: number;
}

/**
 * Collects the answers of a batch and sends them together, in the order of the requests, once all are known.
 *
 * They must fit into one frame: as soon as they do not, `payload_too_large` replaces the longest ones, so that a batch
 * never holds more than a frame.
 */
export class BatchAnswer {
  /** Functions to call once the answers were sent. */
  readonly after: (() => void)[] = [];
  /** Elements of the batch, those that are not answered included. */
  readonly elements: number;
  readonly #slots: Slot[] = [];
  readonly #limit: number;
  readonly #send: (text: string) => void;
  #missing: number;
  #bytes = 2;

  constructor(elements: number, calls: number, limit: number, send: (text: string) => void) {
    this.elements = elements;
    this.#missing = calls;
    this.#limit = limit;
    this.#send = send;
  }

  /** Reserves the next answer's place. Returns the function that sets the answer, once. */
  slot(id: RpcId): (text: string) => void {
    const slot: Slot = { id, text: undefined, bytes: 0 };
    this.#slots.push(slot);
    return (text) => {
      this.#put(slot, text);
      while (this.#bytes > this.#limit && this.#shorten()) {}
      if (--this.#missing === 0) this.#finish();
    };
  }

  #put(slot: Slot, text: string): void {
    const bytes = bytesOf(text);
    this.#bytes += bytes - slot.bytes;
    slot.text = text;
    slot.bytes = bytes;
  }

  /** Replaces the longest answer by an error. Returns false when that does not help. */
  #shorten(): boolean {
    const longest = this.#slots.reduce((most, slot) => (slot.bytes > most.bytes ? slot : most));
    const error = new GaterError('payload_too_large', 'the answers of the batch do not fit into one frame', {
      details: { limit: this.#limit },
    });
    const text = encodeError(longest.id, toRpcError(error));
    if (bytesOf(text) >= longest.bytes) return false;
    this.#put(longest, text);
    return true;
  }

  #finish(): void {
    this.#send(`[${this.#slots.map((slot) => slot.text).join(',')}]`);
    for (const run of this.after) run();
  }
}

/** The bytes of an answer in the frame, with its comma. */
function bytesOf(text: string): number {
  return utf8Bytes(text) + 1;
}
