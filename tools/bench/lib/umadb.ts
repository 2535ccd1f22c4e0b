import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { peersFolder } from './machine.ts';

/**
 * Returns the Python of a virtual environment with UmaDB, its server and client: that of `UMADB_PYTHON`, or one that is
 * made once.
 * @throws when it cannot be made
 */
export function umadbPython(): string {
  const { UMADB_PYTHON: given } = process.env;
  if (given !== undefined) return given;
  const folder = peersFolder('umadb');
  const python = `${folder}/bin/python`;
  if (!existsSync(`${folder}/bin/umadb`)) {
    process.stderr.write('installing UmaDB, once\n');
    execFileSync('python3', ['-m', 'venv', folder], { stdio: 'inherit' });
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', 'umadb'], { stdio: 'inherit' });
  }
  return python;
}
