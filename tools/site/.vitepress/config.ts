import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitepress';

const PAGES = join(import.meta.dirname, '..', '.pages');

interface Item {
  readonly text: string;
  readonly link: string;
}

/** Returns an item whose text is the first heading of the page. */
function pageItem(path: string): Item {
  const [, text = path] = /^# (.+)$/m.exec(readFileSync(join(PAGES, path), 'utf8')) ?? [];
  return { text: text.replaceAll('`', ''), link: `/${path.replace(/(index)?\.md$/, '')}` };
}

function itemsOf(folder: string, isWanted: (name: string) => boolean = () => true): Item[] {
  return readdirSync(join(PAGES, folder), { withFileTypes: true })
    .map(({ name, parentPath }) => ({ name, parentPath }))
    .filter(({ name }) => isWanted(name))
    .map(({ name }) => pageItem(join(folder, name.endsWith('.md') ? name : join(name, 'index.md'))))
    .sort((a, b) => a.text.localeCompare(b.text));
}

const named = (...names: readonly string[]): Item[] => names.map((name) => pageItem(`${name}.md`));

export default defineConfig({
  title: 'esdb-gater',
  description: 'A gateway for event stores and pub/sub channels',
  // A site in a folder of its host, such as GitHub Pages, is built with SITE_BASE=/folder/.
  base: process.env['SITE_BASE'] ?? '/',
  srcDir: '.pages',
  outDir: 'dist',
  cacheDir: '.cache',
  cleanUrls: true,
  lastUpdated: false,
  // Addresses of gateways on the reader's own machine.
  ignoreDeadLinks: [/^https?:\/\/(?:127\.0\.0\.1|localhost)/],
  // The index of the search is one file.
  vite: { build: { chunkSizeWarningLimit: 4_000 } },
  markdown: {
    anchor: { slugify: githubSlug },
    languageAlias: { conf: 'ini' },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Tour', link: '/#a-tour' },
      { text: 'Guides', link: '/docs/guides/' },
      { text: 'Protocol', link: '/PROTOCOL' },
      { text: 'API', link: '/api/' },
    ],
    sidebar: [
      { text: 'Start', items: named('index') },
      { text: 'Guides', items: itemsOf('docs/guides', (name) => name !== 'index.md') },
      {
        text: 'Reference',
        items: [
          ...named('PROTOCOL', 'ARCHITECTURE', 'OPERATIONS', 'SECURITY', 'RELIABILITY'),
          { text: 'API of the packages', link: '/api/' },
        ],
      },
      { text: 'Packages', collapsed: true, items: itemsOf('packages') },
      {
        text: 'Programs',
        collapsed: true,
        items: [...named('apps/gateway/index', 'apps/dashboard/index', 'native/index', 'examples/index')],
      },
      { text: 'Project', collapsed: true, items: named('CONTRIBUTING', 'CHANGELOG') },
    ],
    socialLinks: [{ icon: 'github', link: 'https://github.com/esdb-gater/esdb-gater' }],
  },
});

/** The anchor that GitHub gives a heading, as the links of the documents expect. */
function githubSlug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}
