import type { InputHTMLAttributes, JSX } from 'preact';

/** A line of text whose value the caller keeps. The browser neither completes nor corrects it: ids are not prose. */
export function TextInput({
  onText,
  ...rest
}: InputHTMLAttributes<HTMLInputElement> & {
  readonly value: string;
  readonly onText: (text: string) => void;
}): JSX.Element {
  return (
    <input
      type="text"
      autocomplete="off"
      spellcheck={false}
      {...rest}
      onInput={(event) => onText(event.currentTarget.value)}
    />
  );
}
