import { validTraceContext } from '@esdb-gater/primitives';
import type { WithSpan } from './tracing.ts';

/** Where the OpenTelemetry API keeps what a program has registered (its package `api`, `internal/global-utils`). */
const REGISTRY = Symbol.for('opentelemetry.js.api.1');

let loaded: WithSpan | undefined;

/** Returns true when the page has registered an SDK of OpenTelemetry. */
function isRegistered(): boolean {
  const registry = (globalThis as { readonly [REGISTRY]?: { readonly trace?: unknown } })[REGISTRY];
  return registry?.trace !== undefined;
}

/** Loads the tracing where the page has registered an SDK. Without one its code is never loaded. */
export async function loadTracing(): Promise<void> {
  if (loaded === undefined && isRegistered()) loaded = (await import('./spans.ts')).withSpan;
}

/** Spans begin in the same turn, as the active span of a page is lost after it: a call before the tracing is loaded has none. */
export const withSpan: WithSpan = (subject, options, run) => {
  if (loaded !== undefined) return loaded(subject, options, run);
  // A call does not fail because the tracing API cannot be loaded.
  loadTracing().catch(() => undefined);
  return run(validTraceContext(options.parent ?? {}));
};
