import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Rows beyond the visible ones, so that fast scrolling shows no gaps. */
const EXTRA_ROWS = 8;

export interface VirtualListProps<Item> {
  readonly items: readonly Item[];
  readonly rowHeight: number;
  readonly label: string;
  readonly keyOf: (item: Item) => string | number;
  readonly render: (item: Item) => ComponentChildren;
  /** Called when the end of the list comes near. */
  readonly onNearEnd?: () => void;
}

/** A list of which only the visible rows exist. Each row has one link or button; the arrow keys move between them. */
export function VirtualList<Item>(props: VirtualListProps<Item>): JSX.Element {
  const { items, rowHeight, label, keyOf, render, onNearEnd } = props;
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const [wanted, setWanted] = useState<number | undefined>();

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const update = (): void => setView({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(update);
    observer.observe(element);
    element.addEventListener('scroll', update, { passive: true });
    update();
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', update);
    };
  }, []);

  const first = Math.max(0, Math.floor(view.top / rowHeight) - EXTRA_ROWS);
  const last = Math.min(items.length, Math.ceil((view.top + view.height) / rowHeight) + EXTRA_ROWS);
  useEffect(() => {
    if (last >= items.length - EXTRA_ROWS) onNearEnd?.();
  }, [last, items.length, onNearEnd]);

  useLayoutEffect(() => {
    if (wanted === undefined) return;
    const row = box.current?.querySelector<HTMLElement>(
      `[data-row="${wanted}"] a, [data-row="${wanted}"] button`,
    );
    if (row === null || row === undefined) return;
    row.focus({ preventScroll: true });
    setWanted(undefined);
  });

  const onKeyDown = (event: KeyboardEvent): void => {
    const row = (event.target as HTMLElement).closest<HTMLElement>('[data-row]');
    const at = row === null ? -1 : Number(row.dataset['row']);
    const page = Math.max(1, Math.floor(view.height / rowHeight) - 1);
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: items.length - 1,
    };
    const to = moves[event.key];
    if (to === undefined || items.length === 0) return;
    event.preventDefault();
    const index = Math.min(items.length - 1, Math.max(0, to));
    const element = box.current;
    if (element !== null) {
      const top = index * rowHeight;
      if (top < element.scrollTop) element.scrollTop = top;
      else if (top + rowHeight > element.scrollTop + element.clientHeight) {
        element.scrollTop = top + rowHeight - element.clientHeight;
      }
    }
    setWanted(index);
  };

  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset belongs to a form.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <div class="virtual" ref={box} role="group" aria-label={label} tabIndex={0} onKeyDown={onKeyDown}>
      <ul style={{ height: `${items.length * rowHeight}px` }}>
        {items.slice(first, last).map((item, offset) => (
          <li
            key={keyOf(item)}
            data-row={first + offset}
            aria-setsize={items.length}
            aria-posinset={first + offset + 1}
            style={{ top: `${(first + offset) * rowHeight}px`, height: `${rowHeight}px` }}
          >
            {render(item)}
          </li>
        ))}
      </ul>
    </div>
  );
}
