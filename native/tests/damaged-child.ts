// Tries to load the addon from each folder on standard input, one per line, as `arena.js` would do there. Prints a line
// of JSON for each: {"folder":…,"code":…,"reasons":[…]}, or {"folder":…,"text":…} of a call.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Addon } from '../arena.js';
import { type AddonError, checkingRequire, loadAddon } from '../loader.js';

const [version = ''] = process.argv.slice(2);
const platform = { os: process.platform, cpu: process.arch };

function attempt(folder: string): object {
  const require = checkingRequire(createRequire(join(folder, 'arena.js')), platform);
  try {
    const addon = loadAddon({ require, version, ...platform }) as Addon;
    return { text: addon['base58Encode']?.(1) };
  } catch (error) {
    const { code, attempts } = error as AddonError;
    return { code, reasons: attempts.map((one) => (one.error as NodeJS.ErrnoException).code) };
  }
}

for await (const folder of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify({ folder, ...attempt(folder) })}\n`);
}
