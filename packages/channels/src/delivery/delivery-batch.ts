import type { Delivery, NoticeEncoder } from '@esdb-gater/types';

interface Joined {
  readonly encoder: NoticeEncoder;
  readonly bytes: Uint8Array;
}

const joined = new WeakMap<readonly Delivery[], Joined[]>();

/**
 * Returns the bytes of a batch, one delivery after the other. Connections with the same deliveries in a turn share one
 * array, so the copy is made once; a batch of one is not copied at all. The bytes must not be changed.
 */
export function concatBytes(batch: readonly Delivery[], encoder: NoticeEncoder): Uint8Array {
  const [first] = batch;
  if (batch.length === 1 && first !== undefined) return first.bytes(encoder);
  const known = joined.get(batch);
  const hit = known?.find((entry) => entry.encoder === encoder);
  if (hit !== undefined) return hit.bytes;
  const entry = { encoder, bytes: Buffer.concat(batch.map((delivery) => delivery.bytes(encoder))) };
  if (known === undefined) joined.set(batch, [entry]);
  else known.push(entry);
  return entry.bytes;
}

/**
 * The deliveries of a connection in this turn, as a path in a shared tree: connections with the same deliveries in the
 * same order are at the same node. For all but the first of them adding a delivery costs one comparison, and the array
 * is made once.
 */
export interface BatchNode {
  readonly length: number;
  /** Returns the path with one more delivery. */
  with(delivery: Delivery): BatchNode;
  /** Returns the deliveries of the path, in order: one frozen array for all connections at this node. */
  batch(): readonly Delivery[];
}

/** The root of all paths. */
export interface BatchRoot extends BatchNode {
  /** Releases the paths of the last turn. */
  forget(): void;
}

/** Creates a root without paths. */
export function createBatchRoot(): BatchRoot {
  return new PathNode(undefined, undefined);
}

class PathNode implements BatchRoot {
  readonly length: number;
  readonly #before: PathNode | undefined;
  readonly #delivery: Delivery | undefined;
  #next: PathNode | undefined;
  #batch: readonly Delivery[] | undefined;

  constructor(before: PathNode | undefined, delivery: Delivery | undefined) {
    this.#before = before;
    this.#delivery = delivery;
    this.length = before === undefined ? 0 : before.length + 1;
  }

  with(delivery: Delivery): PathNode {
    // A delivery is passed to all its receivers in one call, so only the newest branch can be requested again.
    const next = this.#next;
    if (next !== undefined && next.#delivery === delivery) return next;
    const made = new PathNode(this, delivery);
    this.#next = made;
    return made;
  }

  batch(): readonly Delivery[] {
    if (this.#batch !== undefined) return this.#batch;
    const deliveries = new Array<Delivery>(this.length);
    let node: PathNode = this;
    while (node.#before !== undefined && node.#delivery !== undefined) {
      deliveries[node.length - 1] = node.#delivery;
      node = node.#before;
    }
    this.#batch = Object.freeze(deliveries);
    return this.#batch;
  }

  forget(): void {
    this.#next = undefined;
  }
}
