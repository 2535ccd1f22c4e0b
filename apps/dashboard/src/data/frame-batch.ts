/** Collects items and hands them over together, at most once per frame of the screen. */
export interface FrameBatch<Item> {
  push(item: Item): void;
  stop(): void;
}

/** How often a hidden page, which has no frames, hands over. */
const HIDDEN_MS = 1_000;

/**
 * Creates a batch for `flush`. At most `maxItems` wait; of more only the newest stay, and `flush` gets how many were left out.
 */
export function createFrameBatch<Item>(
  maxItems: number,
  flush: (items: readonly Item[], skipped: number) => void,
): FrameBatch<Item> {
  let items: Item[] = [];
  let skipped = 0;
  let cancel: (() => void) | undefined;
  const run = (): void => {
    cancel = undefined;
    const batch = items.length > maxItems ? items.slice(-maxItems) : items;
    const left = skipped + items.length - batch.length;
    items = [];
    skipped = 0;
    flush(batch, left);
  };
  return {
    push(item) {
      items.push(item);
      if (items.length >= 2 * maxItems) {
        skipped += items.length - maxItems;
        items = items.slice(-maxItems);
      }
      cancel ??= document.hidden ? later(run) : nextFrame(run);
    },
    stop() {
      cancel?.();
      items = [];
    },
  };
}

function nextFrame(run: () => void): () => void {
  const id = requestAnimationFrame(run);
  return () => cancelAnimationFrame(id);
}

function later(run: () => void): () => void {
  const id = setTimeout(run, HIDDEN_MS);
  return () => clearTimeout(id);
}
