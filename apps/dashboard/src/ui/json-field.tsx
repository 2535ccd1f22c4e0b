import type { JSX } from 'preact';
import { Field } from './parts.tsx';

/** Returns the value of a JSON text, or why it is not one. */
export function parseJson(text: string): { readonly value: unknown } | { readonly problem: string } {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

/** A field for JSON that says at once when it is not. */
export function JsonField({
  label,
  hint,
  value,
  rows = 6,
  onInput,
}: {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly rows?: number;
  readonly onInput: (text: string) => void;
}): JSX.Element {
  const parsed = value.trim() === '' ? undefined : parseJson(value);
  const problem = parsed !== undefined && 'problem' in parsed ? parsed.problem : undefined;
  return (
    <div>
      <Field label={label} {...(hint === undefined ? {} : { hint })}>
        <textarea
          class="mono"
          rows={rows}
          value={value}
          spellcheck={false}
          autocomplete="off"
          aria-invalid={problem !== undefined}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      </Field>
      {problem !== undefined && <p class="field-error">Not valid JSON: {problem}</p>}
    </div>
  );
}
