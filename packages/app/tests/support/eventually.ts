import { vi } from 'vitest';

/** Waits until a check holds. The limit is only for a check that never does. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 20_000, interval: 10 });
}
