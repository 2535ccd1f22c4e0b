import { readFileSync } from 'node:fs';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import type { Tarball } from './tarballs.ts';

/**
 * Resolutions that the packages do not serve: they are ES modules for Node.js 22 and later, where CommonJS can `require` them, and
 * the resolution of Node.js 10 does not know `exports`. It is what attw calls the profile `esm-only`.
 */
const UNSERVED: ReadonlySet<string> = new Set(['node10', 'node16-cjs']);

/** Entries that are data and have no types. */
const DATA = /\.wasm$/;

/** Returns what publint and attw (Are the types wrong?) complain about in a packed package, one line each. */
export async function publishingProblems({ file }: Tarball): Promise<readonly string[]> {
  const tarball = new Uint8Array(readFileSync(file));
  const { messages } = await publint({ pack: { tarball: tarball.buffer }, strict: true });
  const analysis = await checkPackage(createPackageFromTarballData(tarball));
  const typeProblems = analysis.types === false ? ['has no types'] : analysis.problems.flatMap(describe);
  return [
    ...messages.map(({ code, path }) => `publint: ${code} at ${path.join('.')}`),
    ...typeProblems.map((problem) => `attw: ${problem}`),
  ];
}

function describe(problem: {
  readonly kind: string;
  readonly entrypoint?: string;
  readonly resolutionKind?: string;
}): readonly string[] {
  const { kind, entrypoint = '.', resolutionKind = 'every resolution' } = problem;
  if (UNSERVED.has(resolutionKind) || DATA.test(entrypoint)) return [];
  return [`${kind} of ${entrypoint} in ${resolutionKind}`];
}
