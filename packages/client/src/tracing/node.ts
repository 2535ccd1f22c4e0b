import { withSpan as spanned } from '@esdb-gater/telemetry';
import type { WithSpan } from './tracing.ts';

export const withSpan: WithSpan = spanned;

/** Resolves at once, as the tracing is part of the program. */
export function loadTracing(): Promise<void> {
  return Promise.resolve();
}
