import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** A Node that the documents are tried on. */
export interface DocumentedNode {
  readonly major: number;
  /** Absent when it is not installed. */
  readonly path: string | undefined;
}

/** The folder in which `npm ci --prefix tools/docs/nodes` installs the other versions. */
const INSTALLED = join(import.meta.dirname, 'nodes', 'node_modules');

/** Returns the versions that the packages support, and where each is. */
export function documentedNodes(): readonly DocumentedNode[] {
  return [22, 24, 26].map((major) => ({ major, path: pathOf(major) }));
}

function pathOf(major: number): string | undefined {
  const candidates = [process.execPath, join(INSTALLED, `node${major}`, 'bin', 'node'), `node${major}`];
  return candidates.find((path) => majorOf(path) === major);
}

function majorOf(path: string): number | undefined {
  try {
    return Number(execFileSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' }).split('.')[0]);
  } catch {
    return undefined;
  }
}
