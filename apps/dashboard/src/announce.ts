import { signal } from '@preact/signals';

const MIN_GAP_MS = 1_000;

const spoken = signal('');
let waiting: string | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;

/** The text that screen readers are told. */
export const announcement = spoken;

/** Tells screen readers something, at most once a second: of several texts the newest is told. */
export function announce(text: string): void {
  waiting = text;
  if (timer !== undefined) return;
  spoken.value = text;
  waiting = undefined;
  timer = setTimeout(() => {
    timer = undefined;
    if (waiting !== undefined) announce(waiting);
  }, MIN_GAP_MS);
}
