import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { go, href } from '../router.ts';
import { Icon } from '../ui/icon.tsx';
import { Field } from '../ui/parts.tsx';
import { TextInput } from '../ui/text-input.tsx';

/** What the reader is asked for, as it stands in the address. */
export interface EventQuestion {
  readonly stream: string;
  readonly type: string;
  readonly tag: string;
  /** RFC 3339. */
  readonly at: string;
  readonly related: string;
}

export function questionOf(query: URLSearchParams): EventQuestion {
  const get = (name: string): string => query.get(name) ?? '';
  return {
    stream: get('stream'),
    type: get('type'),
    tag: get('tag'),
    at: get('at'),
    related: get('related'),
  };
}

const KINDS = {
  all: 'All events',
  stream: 'One stream',
  query: 'Types and tags',
  related: 'A correlation or cause',
} as const;
type Kind = keyof typeof KINDS;

function kindOf({ stream, type, tag, related }: EventQuestion): Kind {
  if (related !== '') return 'related';
  if (stream !== '') return 'stream';
  return type !== '' || tag !== '' ? 'query' : 'all';
}

/** The form that asks the reader. */
export function EventFilterForm({
  storeId,
  question,
}: {
  readonly storeId: string;
  readonly question: EventQuestion;
}): JSX.Element {
  const [kind, setKind] = useState<Kind>(kindOf(question));
  const [draft, setDraft] = useState(question);
  const text = (name: keyof EventQuestion, label: string, hint?: string): JSX.Element => (
    <Field label={label} {...(hint === undefined ? {} : { hint })}>
      <TextInput value={draft[name]} onText={(typed) => setDraft({ ...draft, [name]: typed })} />
    </Field>
  );
  return (
    <form
      class="filter"
      aria-label="Events"
      onSubmit={(event) => {
        event.preventDefault();
        const { stream, type, tag, at, related } = draft;
        const asked = {
          all: { at },
          stream: { stream, at },
          query: { type, tag, at },
          related: { related },
        }[kind];
        go(href(['events', storeId], asked));
      }}
    >
      <Field label="Look for">
        <select value={kind} onChange={(event) => setKind(event.currentTarget.value as Kind)}>
          {Object.entries(KINDS).map(([one, label]) => (
            <option key={one} value={one}>
              {label}
            </option>
          ))}
        </select>
      </Field>
      {kind === 'stream' && text('stream', 'Stream')}
      {kind === 'query' && text('type', 'Types', 'One of them; commas between')}
      {kind === 'query' && text('tag', 'Tags', 'All of them; commas between')}
      {kind === 'related' && text('related', 'Id of the correlation or event')}
      {kind !== 'related' && (
        <Field label="Up to this time">
          <input
            type="datetime-local"
            step="1"
            value={toLocal(draft.at)}
            onInput={(event) => setDraft({ ...draft, at: fromLocal(event.currentTarget.value) })}
          />
        </Field>
      )}
      <button type="submit" class="button primary">
        <Icon name="search" /> Read
      </button>
    </form>
  );
}

function toLocal(time: string): string {
  const date = new Date(time);
  if (time === '' || Number.isNaN(date.getTime())) return '';
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

function fromLocal(text: string): string {
  const date = new Date(text);
  return text === '' || Number.isNaN(date.getTime()) ? '' : date.toISOString();
}

/** Splits a list at its commas. */
export function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}
