import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PICTURES, pagesOf } from './pages.ts';
import { rewriteLinks } from './rewrite-links.ts';

/** Copies the documents into the folder that VitePress reads, with their links rewritten for the site. */
export function stagePages(root: string, folder: string): void {
  const pages = pagesOf(root);
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly repository: { readonly url: string };
  };
  const repository = manifest.repository.url.replace(/^git\+/, '').replace(/\.git$/, '');
  const exists = (path: string): boolean => existsSync(join(root, path));
  for (const page of pages) {
    const file = join(folder, page.target);
    mkdirSync(dirname(file), { recursive: true });
    const markdown = readFileSync(join(root, page.source), 'utf8');
    writeFileSync(file, rewriteLinks(markdown, page, { pages, exists, repository }));
  }
  for (const picture of PICTURES) cpSync(join(root, picture), join(folder, picture), { recursive: true });
}
