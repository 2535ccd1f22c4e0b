import { describe, test } from 'vitest';

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

/** Defines a suite about the addon; without an addon it is a skipped test with the reason in its title. */
export function describeAddon(name: string, suite: (native: Native) => void | Promise<void>): void {
  describe(name, () => {
    if (loaded !== undefined) return suite(loaded);
    test.skip('needs the addon, which npm run build:native builds', () => {});
  });
}
