import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** A runtime beside Node.js that the client is tested on. */
export interface Runtime {
  readonly name: 'Bun' | 'Deno';
  /** The program and its arguments before the file to run. Absent where it is not installed. */
  readonly command: readonly [program: string, ...args: string[]] | undefined;
}

/** Where `npm ci --prefix tools/runtimes` puts them. */
const INSTALLED = join(import.meta.dirname, 'node_modules', '.bin');

/** Returns the runtimes, and how each runs a file. */
export function otherRuntimes(): readonly Runtime[] {
  return [
    { name: 'Bun', command: installed('bun', 'run') },
    {
      name: 'Deno',
      command: installed('deno', 'run', '--quiet', '--allow-all', '--node-modules-dir=manual'),
    },
  ];
}

function installed(program: string, ...args: string[]): Runtime['command'] {
  const path = join(INSTALLED, program);
  return existsSync(path) ? [path, ...args] : undefined;
}
