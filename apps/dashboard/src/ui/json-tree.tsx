import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

/** Children of one value that are shown at first. */
const FIRST_CHILDREN = 100;
/** Characters of one text that are shown at first. */
const FIRST_UNITS = 1_000;

/** Shows a JSON value as a tree whose branches open and close. Everything in it is text. */
export function JsonTree({
  value,
  label,
  openDepth = 2,
}: {
  readonly value: unknown;
  /** Names the tree for screen readers. */
  readonly label: string;
  /** Branches above this depth are open at first. */
  readonly openDepth?: number;
}): JSX.Element {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset belongs to a form.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <div class="json" role="group" aria-label={label} tabIndex={0}>
      <Node value={value} depth={0} openDepth={openDepth} />
    </div>
  );
}

interface NodeProps {
  readonly name?: string;
  readonly value: unknown;
  readonly depth: number;
  readonly openDepth: number;
}

function Node({ name, value, depth, openDepth }: NodeProps): JSX.Element {
  if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) {
    return (
      <Branch {...(name === undefined ? {} : { name })} value={value} depth={depth} openDepth={openDepth} />
    );
  }
  return (
    <div class="json-leaf">
      <Name name={name} />
      <Scalar value={value} />
    </div>
  );
}

function Branch({ name, value, depth, openDepth }: NodeProps & { readonly value: object }): JSX.Element {
  const [open, setOpen] = useState(depth < openDepth);
  const [shown, setShown] = useState(FIRST_CHILDREN);
  const keys = Object.keys(value);
  const isArray = Array.isArray(value);
  const [begin, end] = isArray ? '[]' : '{}';
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Name name={name} />
        <span class="json-mark">{begin}</span>
        <span class="json-count">
          {open ? '' : '…'}
          {keys.length}{' '}
          {isArray ? (keys.length === 1 ? 'item' : 'items') : keys.length === 1 ? 'member' : 'members'}
        </span>
        {!open && <span class="json-mark">{end}</span>}
      </summary>
      {open && (
        <div class="json-children">
          {keys.slice(0, shown).map((key) => (
            <Node
              key={key}
              name={key}
              value={(value as Record<string, unknown>)[key]}
              depth={depth + 1}
              openDepth={openDepth}
            />
          ))}
          {keys.length > shown && (
            <button type="button" class="link" onClick={() => setShown(shown + 10 * FIRST_CHILDREN)}>
              Show more ({keys.length - shown})
            </button>
          )}
          <span class="json-mark">{end}</span>
        </div>
      )}
    </details>
  );
}

function Name({ name }: { readonly name: string | undefined }): JSX.Element | null {
  if (name === undefined) return null;
  return (
    <>
      <span class="json-name">{name}</span>
      <span class="json-mark">: </span>
    </>
  );
}

function Scalar({ value }: { readonly value: unknown }): JSX.Element {
  const [whole, setWhole] = useState(false);
  const text = JSON.stringify(value) ?? 'undefined';
  const kind = value === null ? 'null' : typeof value;
  const isCut = !whole && text.length > FIRST_UNITS;
  return (
    <>
      <span class={`json-${kind}`}>{isCut ? `${text.slice(0, FIRST_UNITS)}…` : text}</span>
      {isCut && (
        <button type="button" class="link" onClick={() => setWhole(true)}>
          Show all {text.length} characters
        </button>
      )}
    </>
  );
}
