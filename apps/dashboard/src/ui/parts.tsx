import { type ComponentChildren, cloneElement, type JSX, type VNode } from 'preact';
import { useId, useState } from 'preact/hooks';
import { announce } from '../announce.ts';
import { errorCode, errorText, isUnauthorized } from '../session/error-text.ts';
import { ago, timeOf } from './format.ts';
import { Icon, type IconName } from './icon.tsx';

interface WithChildren {
  readonly children?: ComponentChildren;
}

/** The head of a view: its heading, what it is about, and what can be done. */
export function PageHead({
  title,
  about,
  children,
}: WithChildren & { readonly title: string; readonly about?: ComponentChildren }): JSX.Element {
  return (
    <div class="page-head">
      <div class="page-title">
        <h1 tabIndex={-1}>{title}</h1>
        {about !== undefined && <p class="muted">{about}</p>}
      </div>
      {children !== undefined && <div class="actions">{children}</div>}
    </div>
  );
}

/** A section of a view, with a heading of its own. */
export function Card({
  title,
  aside,
  children,
  flush = false,
}: WithChildren & {
  readonly title: string;
  readonly aside?: ComponentChildren;
  /** Without padding around the content, for tables and lists. */
  readonly flush?: boolean;
}): JSX.Element {
  const id = `card-${title.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`;
  return (
    <section class={flush ? 'card flush' : 'card'} aria-labelledby={id}>
      <div class="card-head">
        <h2 id={id}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'plain';

export function Badge({ tone = 'plain', children }: WithChildren & { readonly tone?: Tone }): JSX.Element {
  return <span class={`badge ${tone}`}>{children}</span>;
}

const STATUS_TONES: Readonly<Record<string, Tone>> = { healthy: 'good', degraded: 'warn', unhealthy: 'bad' };

/** A status in words, with a dot of its colour. */
export function Status({
  status,
  capital = false,
}: {
  readonly status: string;
  readonly capital?: boolean;
}): JSX.Element {
  return (
    <span class={`status ${STATUS_TONES[status] ?? 'plain'}`}>
      <span class="dot" aria-hidden="true" />
      {capital ? status.slice(0, 1).toUpperCase() + status.slice(1) : status}
    </span>
  );
}

export function Time({ at }: { readonly at: string }): JSX.Element {
  const date = new Date(at);
  return (
    <time dateTime={at} title={`${at} (${ago(date.getTime())})`}>
      {timeOf(date)}
    </time>
  );
}

/** What a list says when it has nothing. */
export function Empty({
  title,
  icon = 'empty',
  children,
}: WithChildren & { readonly title: string; readonly icon?: IconName }): JSX.Element {
  return (
    <div class="empty">
      <Icon name={icon} size={32} />
      <p class="empty-title">{title}</p>
      {children !== undefined && <div class="muted">{children}</div>}
    </div>
  );
}

/** What went wrong, in words, with its code. */
export function Problem({
  error,
  onRetry,
}: {
  readonly error: unknown;
  readonly onRetry?: () => void;
}): JSX.Element {
  return (
    <div class="problem" role="alert">
      <Icon name="warning" />
      <div>
        <p>{errorText(error)}</p>
        <p class="problem-code">
          <code>{errorCode(error)}</code>
          {isUnauthorized(error) && <a href="#/access">Use another token</a>}
        </p>
      </div>
      {onRetry !== undefined && (
        <button type="button" class="button small" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Stands where content will be. */
export function Loading({ rows = 3 }: { readonly rows?: number }): JSX.Element {
  return (
    <div class="loading" role="status">
      <span class="visually-hidden">Loading…</span>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} class="skeleton" aria-hidden="true" />
      ))}
    </div>
  );
}

/** A labelled figure. */
export function Stat({
  label,
  value,
  hint,
}: {
  readonly label: string;
  readonly value: ComponentChildren;
  readonly hint?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="stat">
      <dt>{label}</dt>
      <dd>
        <span class="stat-value">{value}</span>
        {hint !== undefined && <span class="stat-hint">{hint}</span>}
      </dd>
    </div>
  );
}

/** What a control gets from its field. */
interface FieldControl {
  readonly id?: string;
  readonly 'aria-describedby'?: string;
}

/** A form field with its label above it and, for screen readers as its description, a hint below it. */
export function Field({
  label,
  hint,
  children,
}: {
  readonly label: string;
  readonly hint?: string;
  /** The control. */
  readonly children: VNode<FieldControl>;
}): JSX.Element {
  const id = useId();
  const hintId = `${id}-hint`;
  return (
    <div class="field">
      <label class="field-label" for={id}>
        {label}
      </label>
      {cloneElement(children, { id, ...(hint === undefined ? {} : { 'aria-describedby': hintId }) })}
      {hint !== undefined && (
        <span id={hintId} class="field-hint">
          {hint}
        </span>
      )}
    </div>
  );
}

export function CopyButton({ text, what }: { readonly text: string; readonly what: string }): JSX.Element {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      announce(`Copied ${what}.`);
      setTimeout(() => setCopied(false), 1_500);
    } catch {
      announce('The browser does not allow to copy.');
    }
  };
  return (
    <button type="button" class="button ghost small" onClick={copy} aria-label={`Copy ${what}`}>
      <Icon name={copied ? 'check' : 'copy'} size={16} />
      <span aria-hidden="true">{copied ? 'Copied' : 'Copy'}</span>
    </button>
  );
}
