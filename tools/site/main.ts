// `npm run docs:api`: the API reference of the packages, by TypeDoc; a warning fails it. `npm run docs:build`: the static site with it.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stagePages } from './stage.ts';

const folder = import.meta.dirname;
const root = join(folder, '..', '..');
/** What VitePress reads: copies of the documents, and the API reference. */
const pages = join(folder, '.pages');

process.exitCode = main(process.argv[2]);

function main(task: string | undefined): number {
  if (task !== 'api' && task !== 'build') {
    process.stderr.write(`the task must be api or build, got ${String(task)}\n`);
    return 2;
  }
  const installed = existsSync(join(folder, 'node_modules'))
    ? 0
    : run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']);
  if (installed !== 0) return installed;
  rmSync(pages, { recursive: true, force: true });
  const described = runTool('typedoc/bin/typedoc');
  if (described !== 0 || task === 'api') return described;
  stagePages(root, pages);
  return runTool('vitepress/bin/vitepress.js', 'build', '.');
}

/** Runs a tool of this folder with the Node of this process. */
function runTool(tool: string, ...args: readonly string[]): number {
  return run(process.execPath, [join(folder, 'node_modules', tool), ...args]);
}

function run(command: string, args: readonly string[]): number {
  const { error, status } = spawnSync(command, args, { cwd: folder, stdio: 'inherit' });
  if (error !== undefined) throw error;
  return status ?? 1;
}
