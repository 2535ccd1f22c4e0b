import { describe } from 'vitest';

export type Native = typeof import('../main.js');

async function load(): Promise<Native | undefined> {
  try {
    return await import('../main.js');
  } catch (error) {
    // Where CI runs, the addon is built first: there its absence is a failure like another.
    if (process.env['CI'] === 'true') throw error;
    return undefined;
  }
}

const loaded = await load();

/** A suite about the addon; without one it is skipped, and its name says so. */
export function describeAddon(name: string, suite: (native: Native) => void | Promise<void>): void {
  if (loaded === undefined) describe.skip(`${name} (no addon: npm run build:native builds it)`, () => {});
  else describe(name, () => suite(loaded));
}
