// Bundles the client for pages without a bundler: one minified module, and what it loads on demand beside it.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type OutputOptions, rolldown } from 'rolldown';

const PACKAGE = join(import.meta.dirname, '..');

/** A file of the bundle. */
export interface BundledFile {
  readonly fileName: string;
  readonly code: string;
  /** The modules that are left, by their paths. */
  readonly modules: readonly string[];
  /** False for what is loaded on demand. */
  readonly loadedAtOnce: boolean;
}

const OUTPUT: OutputOptions = {
  format: 'esm',
  minify: true,
  // Hints for bundlers, which this file is not meant for.
  comments: { annotation: false, jsdoc: false, legal: true },
  entryFileNames: 'esdb-gater-client.js',
  chunkFileNames: '[name].js',
};

/** Bundles a module of the package, by default the one for pages without a bundler. */
export async function bundleClient(
  input = join(PACKAGE, 'src', 'standalone.ts'),
): Promise<readonly BundledFile[]> {
  const bundled = await rolldown({
    input,
    platform: 'browser',
    cwd: PACKAGE,
    // What is shared with files on demand stays in the first one.
    preserveEntrySignatures: 'allow-extension',
    resolve: { conditionNames: ['@esdb-gater/source', 'browser', 'import', 'default'] },
  });
  const { output } = await bundled.generate(OUTPUT);
  await bundled.close();
  const chunks = output.filter((one) => one.type === 'chunk');
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const atOnce = new Set<string>();
  const visit = (fileName: string): void => {
    if (atOnce.has(fileName)) return;
    atOnce.add(fileName);
    for (const imported of byName.get(fileName)?.imports ?? []) visit(imported);
  };
  for (const { isEntry, fileName } of chunks) if (isEntry) visit(fileName);
  return chunks.map(({ fileName, code, modules }) => ({
    fileName,
    code,
    modules: Object.entries(modules).flatMap(([id, { renderedLength }]) => (renderedLength > 0 ? [id] : [])),
    loadedAtOnce: atOnce.has(fileName),
  }));
}

/** Writes the bundle into `dist/standalone`. */
async function main(): Promise<void> {
  const { mkdir, rm, writeFile } = await import('node:fs/promises');
  const folder = join(PACKAGE, 'dist', 'standalone');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const { fileName, code } of await bundleClient()) await writeFile(join(folder, fileName), code);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
