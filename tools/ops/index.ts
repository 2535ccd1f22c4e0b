import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const CACHE_DIR: string = join(import.meta.dirname, '..', '..', '.cache', 'ops');

/** The tools that `npm run ops:tools` installs, by what the tests call them. */
const PATHS = {
  hadolint: ['venv', 'bin', 'hadolint'],
  'kubernetes-validate': ['venv', 'bin', 'kubernetes-validate'],
  actionlint: ['go', 'actionlint'],
  compose: ['go', 'cmd'],
} as const;

export type OpsTool = keyof typeof PATHS;

export const OPS_TOOLS: readonly OpsTool[] = Object.freeze(Object.keys(PATHS) as OpsTool[]);

/** Returns the path of a tool, whether it is installed or not. */
export function opsTool(name: OpsTool): string {
  return join(CACHE_DIR, ...PATHS[name]);
}

/**
 * Why a tool cannot be used here, or undefined when it can. With `CI=true` it always can, so that a machine without the
 * tool fails instead of passing without tests.
 */
export function opsToolUnavailable(name: OpsTool): string | undefined {
  if (process.env['CI'] === 'true' || existsSync(opsTool(name))) return undefined;
  return `no ${name}: \`npm run ops:tools\` installs it with Python and Go`;
}
