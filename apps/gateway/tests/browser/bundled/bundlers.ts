import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { build } from 'vite';

/** The folder of the application: `index.html`, which loads `app.ts`. */
const APP = import.meta.dirname;

/** Bundles the application into a folder that a web server can serve. */
export interface Bundler {
  readonly name: string;
  bundle(folder: string): Promise<void>;
}

/** The bundlers, as they are set up for a page by their own documents. */
export const BUNDLERS: readonly Bundler[] = [
  {
    name: 'Vite',
    async bundle(folder) {
      await build({
        root: APP,
        configFile: false,
        logLevel: 'error',
        build: { outDir: folder, emptyOutDir: true, target: 'es2022' },
      });
    },
  },
  {
    name: 'esbuild',
    async bundle(folder) {
      await esbuild.build({
        entryPoints: [join(APP, 'app.ts')],
        outdir: folder,
        bundle: true,
        minify: true,
        format: 'esm',
        splitting: true,
        target: 'es2022',
        logLevel: 'error',
      });
      const page = await readFile(join(APP, 'index.html'), 'utf8');
      await writeFile(join(folder, 'index.html'), page.replace('./app.ts', './app.js'));
    },
  },
];
