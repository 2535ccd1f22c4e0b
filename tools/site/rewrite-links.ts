import { posix } from 'node:path';
import type { Page } from './pages.ts';

export interface RewriteOptions {
  readonly pages: readonly Page[];
  /** Returns true for a file or a folder of the repository. */
  readonly exists: (path: string) => boolean;
  /** The address of the repository, for files that are not pages. */
  readonly repository: string;
}

const LINK = /(!?\[(?:[^\]\\]|\\.)*\]\()([^)\s]+)(\))/g;
/** A fenced block. The group keeps it when a text is split. */
const FENCED = /(^```[^\n]*\n.*?^```$)/ms;

/**
 * Rewrites the relative links of a document for the site: to a page of the site, to the repository, or to a picture as it is.
 *
 * @throws Error that names a link which leads nowhere
 */
export function rewriteLinks(markdown: string, page: Page, options: RewriteOptions): string {
  return markdown
    .split(FENCED)
    .map((text) => {
      if (FENCED.test(text)) return text;
      return text.replace(LINK, (_, before: string, link: string, after: string) => {
        const isPicture = before.startsWith('!');
        return `${before}${isPicture ? link : rewritten(link, page, options)}${after}`;
      });
    })
    .join('');
}

function rewritten(
  link: string,
  { source, target }: Page,
  { pages, exists, repository }: RewriteOptions,
): string {
  if (/^(?:[a-z]+:|#)/.test(link)) return link;
  const [path = '', anchor] = link.split('#');
  const wanted = posix.join(posix.dirname(source), path).replace(/\/$/, '');
  const fragment = anchor === undefined ? '' : `#${anchor}`;
  const found = pages.find((one) => one.source === wanted || one.source === posix.join(wanted, 'README.md'));
  if (found !== undefined) {
    const relative = posix.relative(posix.dirname(target), found.target);
    return `${relative.startsWith('.') ? relative : `./${relative}`}${fragment}`;
  }
  if (!exists(wanted)) throw new Error(`${source}: the link ${link} must lead to a file of the repository`);
  return `${repository}/${posix.extname(wanted) === '' ? 'tree' : 'blob'}/main/${wanted}${fragment}`;
}
