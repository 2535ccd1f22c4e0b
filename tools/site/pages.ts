import { readdirSync } from 'node:fs';
import { posix } from 'node:path';

/** A document of the repository as a page of the site. */
export interface Page {
  /** Its path in the repository: `packages/client/README.md`. */
  readonly source: string;
  /** Its path in the site: `packages/client/index.md`. */
  readonly target: string;
}

/** Pictures that pages show, and folders of them. */
export const PICTURES = ['docs/overview.svg', 'docs/trace.svg', 'docs/dashboard'];

/** Returns the documents that are pages of the site: the guides, and what stands at the root and beside packages. */
export function pagesOf(root: string): Page[] {
  const below = (folder: string): string[] => readdirSync(posix.join(root, folder)).sort();
  const documents = [
    ...below('.').filter((name) => name.endsWith('.md')),
    ...below('docs/guides').map((name) => `docs/guides/${name}`),
    ...below('packages').map((name) => `packages/${name}/README.md`),
    'apps/gateway/README.md',
    'apps/dashboard/README.md',
    'examples/README.md',
    'native/README.md',
  ];
  return documents.map((source) => ({ source, target: targetOf(source) }));
}

function targetOf(source: string): string {
  return posix.join(posix.dirname(source), posix.basename(source).replace(/^README\.md$/, 'index.md'));
}
