// Turns the published versions of npm packages into events: see README.md in this folder.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { parseArgs, promisify } from 'node:util';
import { ExampleError, type ImportLine, runExample, uuidV5, validName, writeLines } from './ndjson.ts';

const USAGE = 'usage: node examples/npm-versions.ts PACKAGE… | --file TIMES.json PACKAGE';

/** A name of the registry, without a version and without anything that npm could take for an option. */
const PACKAGE = /^(@[a-z0-9~][a-z0-9._~-]*\/)?[a-z0-9~][a-z0-9._~-]*$/i;

/**
 * Yields `version_published` for each version in the order of publication, from the output of `npm view PACKAGE time
 * --json`.
 */
export function versionEvents(name: string, times: unknown): ImportLine[] {
  if (typeof times !== 'object' || times === null || Array.isArray(times)) {
    throw new ExampleError(`the times of ${name} must be a JSON object of version to time`);
  }
  const published = Object.entries(times)
    .filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    .filter(([version]) => version !== 'created' && version !== 'modified');
  // By time, then by version, so that versions of the same time always have the same order.
  published.sort(([a, at], [b, bt]) => Date.parse(at) - Date.parse(bt) || (a < b ? -1 : 1));
  return published.map(([version, publishedAt]) => ({
    streamId: validName('npm-', name),
    type: 'version_published',
    data: { package: name, version, publishedAt },
    id: uuidV5(`pkg:npm/${name}@${version}`),
    metadata: { source: 'npm' },
    tags: [validName('package:', name)],
  }));
}

async function timesFromNpm(name: string): Promise<unknown> {
  const shell = process.platform === 'win32';
  try {
    const { stdout } = await promisify(execFile)('npm', ['view', name, 'time', '--json'], {
      maxBuffer: 64 * 1024 * 1024,
      shell,
    });
    return JSON.parse(stdout);
  } catch (error) {
    const [reason] = (error as Error).message.split('\n', 1);
    throw new ExampleError(`npm cannot list the versions of ${name}: ${reason}`);
  }
}

/** Accepts the output of `npm view … --json`: the times, or an object with the member `time`. */
async function timesFromFile(file: string): Promise<unknown> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new ExampleError(`${file} cannot be read as JSON: ${(error as Error).message}`);
  }
  const { time } = (content ?? {}) as { readonly time?: unknown };
  return typeof time === 'object' ? time : content;
}

async function* events(names: readonly string[], file: string | undefined): AsyncGenerator<ImportLine> {
  for (const name of names) {
    yield* versionEvents(name, file === undefined ? await timesFromNpm(name) : await timesFromFile(file));
  }
}

function parse(args: readonly string[]): {
  readonly names: readonly string[];
  readonly file: string | undefined;
} {
  try {
    const options = { file: { type: 'string' } } as const;
    const { values, positionals: names } = parseArgs({ args: [...args], allowPositionals: true, options });
    const enough = values.file === undefined ? names.length >= 1 : names.length === 1;
    if (enough && names.every((name) => PACKAGE.test(name))) return { names, file: values.file };
  } catch {
    // An unknown option: the same answer.
  }
  throw new ExampleError(USAGE, 2);
}

if (import.meta.main) {
  await runExample(async () => {
    const { names, file } = parse(process.argv.slice(2));
    await writeLines(events(names, file), process.stdout);
  });
}
