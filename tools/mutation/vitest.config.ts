// The tests of one package, as Stryker runs them in its copy of the workspace.
import { globSync, readFileSync } from 'node:fs';
import { defineConfig, mergeConfig } from 'vitest/config';
import workspace from '../../vitest.config.ts';

const name = process.env['ESDB_GATER_MUTATED_PACKAGE'];
const { test, ...others } = workspace;

const files = globSync(`packages/${name}/{src,tests}/**/*.test.ts`);
// Another process has no mutant in it, and needs a build, which the copy does not have.
const startProcesses = files.filter((file) =>
  /node:child_process|gateway-process/.test(readFileSync(file, 'utf8')),
);

export default mergeConfig(
  { ...others, test: { ...test, include: [], sequence: {} } },
  defineConfig({ test: { include: files, exclude: startProcesses } }),
);
