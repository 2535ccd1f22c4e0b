import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Template } from './templates.ts';

/** A project that cannot be written, with what the user can do about it. */
export class CreateError extends Error {
  override readonly name = 'CreateError';
}

const PACKAGE = join(import.meta.dirname, '..');

/** Files with the name of the project and the version of the packages in them. */
const FILLED = ['package.json', 'README.md'];

/**
 * Writes the files of a template into a folder, which is made when it does not exist.
 *
 * @throws {CreateError} when the folder is not empty or cannot be written
 */
export async function writeProject(folder: string, template: Template): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    const [first] = await readdir(folder);
    if (first !== undefined) {
      throw new CreateError(`${folder} must be an empty folder, but it has ${JSON.stringify(first)}`);
    }
    for (const part of ['base', template]) {
      await cp(join(PACKAGE, 'templates', part), folder, { recursive: true });
    }
    // npm leaves files of this name out of packages.
    await rename(join(folder, 'gitignore'), join(folder, '.gitignore'));
    const { version } = JSON.parse(await readFile(join(PACKAGE, 'package.json'), 'utf8')) as {
      readonly version: string;
    };
    for (const name of FILLED) {
      const file = join(folder, name);
      const text = await readFile(file, 'utf8');
      const filled = text.replaceAll('{{name}}', packageNameOf(folder)).replaceAll('{{version}}', version);
      await writeFile(file, filled);
    }
  } catch (error) {
    if (error instanceof CreateError || !(error instanceof Error)) throw error;
    throw new CreateError(`cannot write ${folder}: ${error.message}`, { cause: error });
  }
}

/** Returns a name that npm accepts for a package in this folder. */
function packageNameOf(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+/, '')
    .slice(0, 214);
  return name === '' ? 'my-app' : name;
}
