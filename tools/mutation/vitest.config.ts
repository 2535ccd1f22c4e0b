// The tests of one package, as Stryker runs them in its copy of the workspace.
import { defineConfig, mergeConfig } from 'vitest/config';
import workspace from '../../vitest.config.ts';

const name = process.env['ESDB_GATER_MUTATED_PACKAGE'];
const { test, ...others } = workspace;

export default mergeConfig(
  { ...others, test: { ...test, include: [] } },
  defineConfig({ test: { include: [`packages/${name}/{src,tests}/**/*.test.ts`] } }),
);
