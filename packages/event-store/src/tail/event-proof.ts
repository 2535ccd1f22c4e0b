import { hash } from 'node:crypto';
import type { RecordedEvent, StorePoint } from '@esdb-gater/types';

const PROOF_CHARACTERS = 8;

/** Returns the proof of an event: the first characters of base64url(SHA-256(event id)). */
export function eventProof(eventId: string): string {
  return hash('sha256', eventId, 'base64url').slice(0, PROOF_CHARACTERS);
}

/** An event's place in its store. Computes the proof when it is first asked for, as most are never asked for. */
export class EventPoint implements StorePoint {
  readonly position: number;
  readonly #eventId: string;
  #proof: string | undefined;

  constructor({ id, position }: Pick<RecordedEvent, 'id' | 'position'>) {
    this.position = position;
    this.#eventId = id;
  }

  get proof(): string {
    this.#proof ??= eventProof(this.#eventId);
    return this.#proof;
  }
}
