/** The part of one connection, or of one request, in the bytes that are on their way into the gateway. */
export interface InboundShare {
  /** Adds received bytes, which count until `release`. */
  add(bytes: number): void;
  release(bytes: number): void;
  /** Returns whether more may arrive; otherwise `onRoom` is called once it may. */
  mayGrow(): boolean;
  /** Releases everything. */
  close(): void;
}

/**
 * Bounds the bytes of all messages and bodies together that have arrived and are not answered yet, complete or not. Beyond
 * the bound the gateway stops reading. The share that has been held for the longest time may always go on, so that
 * something is always finished.
 */
export interface InboundBudget {
  open(onRoom: () => void): InboundShare;
  readonly bytes: number;
}

class Share implements InboundShare {
  readonly #budget: SharedBudget;
  readonly onRoom: () => void;
  bytes = 0;

  constructor(budget: SharedBudget, onRoom: () => void) {
    this.#budget = budget;
    this.onRoom = onRoom;
  }

  add(bytes: number): void {
    this.#budget.change(this, bytes);
  }

  release(bytes: number): void {
    this.#budget.change(this, -Math.min(bytes, this.bytes));
  }

  mayGrow(): boolean {
    return this.#budget.mayGrow(this);
  }

  close(): void {
    this.#budget.close(this);
  }
}

class SharedBudget implements InboundBudget {
  readonly #maxBytes: number;
  /** Those that hold bytes, in the order in which they began to. */
  readonly #holding = new Set<Share>();
  readonly #waiting = new Set<Share>();
  #scheduled = false;
  bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  open(onRoom: () => void): InboundShare {
    return new Share(this, onRoom);
  }

  change(share: Share, delta: number): void {
    if (delta === 0) return;
    this.bytes += delta;
    share.bytes += delta;
    if (share.bytes > 0) this.#holding.add(share);
    else this.#holding.delete(share);
    if (delta < 0) this.#wake();
  }

  mayGrow(share: Share): boolean {
    if (this.#hasRoom(share)) return true;
    this.#waiting.add(share);
    return false;
  }

  close(share: Share): void {
    this.#waiting.delete(share);
    this.change(share, -share.bytes);
  }

  #hasRoom(share: Share): boolean {
    if (this.bytes <= this.#maxBytes) return true;
    const [first] = this.#holding;
    return first === share && share.bytes <= this.#maxBytes;
  }

  #wake(): void {
    if (this.#scheduled || this.#waiting.size === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      for (const share of [...this.#waiting]) {
        if (!this.#hasRoom(share)) continue;
        this.#waiting.delete(share);
        share.onRoom();
      }
    });
  }
}

export function createInboundBudget(maxBytes: number): InboundBudget {
  return new SharedBudget(maxBytes);
}
