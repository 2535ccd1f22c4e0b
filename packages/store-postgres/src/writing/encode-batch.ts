import { type EncodedEvent, idKey } from '@esdb-gater/event-store';
import type { EventQuery } from '@esdb-gater/types';
import { hashParts } from './hash-parts.ts';
import type { WriteRequest } from './write-request.ts';

/** The number of parameters of `write_batch`. */
const PARAMETERS = 26;

/** Returns the statement that writes a batch. */
export function batchStatement(schema: string): string {
  const parameters = Array.from({ length: PARAMETERS }, (_, index) => `$${index + 1}`);
  return `SELECT ${schema}.write_batch(${parameters.join(', ')}) AS answers`;
}

/**
 * Returns the parameters of `write_batch`: requests, their parts and the events of those as arrays, because strings in arrays are
 * what the server takes in fastest.
 *
 * @param nowUs the time of the events; null when the clock is implausible
 * @param mustFollow the newest position that the store must have, or the whole batch is refused
 */
export function encodeBatch(
  requests: readonly WriteRequest[],
  nowUs: number | null,
  tamperEvident: boolean,
  mustFollow?: number,
): unknown[] {
  const batch = new BatchColumns(tamperEvident);
  for (const request of requests) batch.add(request);
  return [nowUs, tamperEvident, ...batch.columns(), mustFollow ?? null];
}

/** A column with one value per event that most events do not have: null as long as no event has it. */
class SparseColumn<Value> {
  readonly #values = new Map<number, Value>();

  set(index: number, value: Value): void {
    this.#values.set(index, value);
  }

  toArray(length: number): (Value | null)[] | null {
    if (this.#values.size === 0) return null;
    return Array.from({ length }, (_, index) => this.#values.get(index) ?? null);
  }
}

class BatchColumns {
  readonly #tamperEvident: boolean;
  readonly #requestParts: number[] = [];
  readonly #items: (string | null)[] = [];
  readonly #after: number[] = [];
  readonly #names: number[] = [];
  readonly #streams: string[] = [];
  readonly #expected: number[] = [];
  readonly #counts: number[] = [];
  readonly #ids: string[] = [];
  readonly #idTexts = new SparseColumn<string>();
  readonly #types: string[] = [];
  readonly #data: (string | null)[] = [];
  readonly #contentTypes = new SparseColumn<string>();
  readonly #bytes = new SparseColumn<string>();
  readonly #metadata: string[] = [];
  readonly #tags: string[] = [];
  readonly #tagFrom: number[] = [];
  readonly #tagCounts: number[] = [];
  readonly #tagList: string[] = [];
  readonly #hashed: [data: string[], id: string[], stream: string[], type: string[]] = [[], [], [], []];
  readonly #epochsUs = new SparseColumn<number>();

  constructor(tamperEvident: boolean) {
    this.#tamperEvident = tamperEvident;
  }

  add({ kind, parts, condition, epochsUs }: WriteRequest): void {
    this.#requestParts.push(parts.length);
    this.#items.push(condition === undefined ? null : JSON.stringify(condition.query.items));
    this.#after.push(condition?.after ?? 0);
    // The sign says whether it is checked however long it takes.
    const names = condition === undefined ? 0 : countNames(condition.query);
    this.#names.push(condition?.forced === true ? -names : names);
    let index = 0;
    for (const { streamId, expectedVersion, events } of parts) {
      this.#streams.push(streamId);
      this.#expected.push(expectedVersion);
      this.#counts.push(kind === 'delete' ? -1 : events.length);
      for (const event of events) {
        const epochUs = epochsUs?.[index];
        if (epochUs !== undefined) this.#epochsUs.set(this.#ids.length, epochUs);
        index += 1;
        this.#addEvent(streamId, event);
      }
    }
  }

  #addEvent(streamId: string, event: EncodedEvent): void {
    const { id, type, data, bytes, metadata, tags, tagList } = event;
    const at = this.#ids.length;
    const key = idKey(id);
    this.#ids.push(key);
    if (key !== id) this.#idTexts.set(at, id);
    this.#types.push(type);
    this.#data.push(bytes === undefined ? data : null);
    if (bytes !== undefined) {
      this.#contentTypes.set(at, bytes.contentType);
      this.#bytes.set(at, bytes.base64);
    }
    this.#metadata.push(metadata);
    this.#tags.push(tags);
    this.#tagFrom.push(this.#tagList.length);
    const distinct = tagList.length < 2 ? tagList : [...new Set(tagList)];
    this.#tagCounts.push(distinct.length);
    this.#tagList.push(...distinct);
    if (!this.#tamperEvident) return;
    const parts = hashParts(streamId, event);
    this.#hashed[0].push(parts.data);
    this.#hashed[1].push(parts.id);
    this.#hashed[2].push(parts.stream);
    this.#hashed[3].push(parts.type);
  }

  /** In the order of the parameters of `write_batch`. */
  columns(): unknown[] {
    const length = this.#ids.length;
    return [
      this.#requestParts,
      this.#items,
      this.#after,
      this.#names,
      this.#streams,
      this.#expected,
      this.#counts,
      this.#ids,
      this.#idTexts.toArray(length),
      this.#types,
      this.#data,
      this.#contentTypes.toArray(length),
      this.#bytes.toArray(length),
      this.#metadata,
      this.#tags,
      this.#tagFrom,
      this.#tagCounts,
      this.#tagList,
      ...(this.#tamperEvident ? this.#hashed : [null, null, null, null]),
      this.#epochsUs.toArray(length),
    ];
  }
}

function countNames({ items }: EventQuery): number {
  let names = 0;
  for (const { types = [], tags = [] } of items) names += types.length + tags.length;
  return names;
}
