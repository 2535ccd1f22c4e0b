import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { installedFolder, manifestOf, type Tarball } from './tarballs.ts';

/**
 * Lays out what `npm install` would for a project, without a registry: packages of this repository from their tarballs, and those of
 * others, which are installed here, as links. A package that no manifest names is not there.
 *
 * @throws Error when a dependency was neither packed nor is installed here
 */
export function layOut(project: string, tarballs: ReadonlyMap<string, Tarball>): void {
  const modules = join(project, 'node_modules');
  const { dependencies = {}, devDependencies = {} } = manifestOf(project);
  const waiting = [...Object.keys(dependencies), ...Object.keys(devDependencies)];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const place = join(modules, name);
    if (existsSync(place)) continue;
    const tarball = tarballs.get(name);
    mkdirSync(dirname(place), { recursive: true });
    if (tarball === undefined) {
      const installed = installedFolder(name);
      if (!existsSync(installed)) throw new Error(`${name} must be installed in ${dirname(installed)}`);
      symlinkSync(installed, place, 'junction');
      continue;
    }
    mkdirSync(place);
    execFileSync('tar', ['-xzf', tarball.file, '-C', place, '--strip-components=1']);
    waiting.push(...Object.keys(manifestOf(place).dependencies ?? {}));
  }
}
