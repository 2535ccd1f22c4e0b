import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const FOLDER = import.meta.dirname;

/** What installs the tools of npm, and those of pip. */
export const DESCRIPTION_TOOLS = {
  npm: 'npm ci --prefix tools/descriptions',
  pip: 'python3 -m venv tools/descriptions/.venv && tools/descriptions/.venv/bin/pip install -r tools/descriptions/requirements.txt',
} as const;

/** Returns the path of a program that pip has installed, or undefined. */
export function pythonTool(name: 'python' | 'schemathesis' | 'openapi-python-client'): string | undefined {
  const path = join(FOLDER, '.venv', 'bin', name);
  return existsSync(path) ? path : undefined;
}

/** Returns the path of a program that npm has installed, or undefined. */
export function npmTool(name: 'openapi-typescript'): string | undefined {
  const path = join(FOLDER, 'node_modules', '.bin', name);
  return existsSync(path) ? path : undefined;
}

/** Returns the URL of the entry of a package that npm has installed, or undefined. */
export function npmModule(name: '@asyncapi/parser' | 'openapi-fetch'): string | undefined {
  if (!existsSync(join(FOLDER, 'node_modules', name))) return undefined;
  return pathToFileURL(createRequire(join(FOLDER, 'package.json')).resolve(name)).href;
}

/** Returns the folder whose `node_modules` a generated program finds. */
export function npmFolder(): string {
  return FOLDER;
}
