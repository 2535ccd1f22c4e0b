/** A fenced block of a Markdown document. */
export interface FencedBlock {
  /** The first word after the fence: `ts`, `sh`, `text`. */
  readonly language: string;
  /** The other words after the fence. */
  readonly flags: readonly string[];
  readonly text: string;
  /** The number of its first line, from 1. */
  readonly line: number;
  /** The heading of its section, of any level. */
  readonly heading: string;
  /** The heading of its section of the second level. */
  readonly section: string;
  /** True when only empty lines separate it from the block before. */
  readonly follows: boolean;
}

const FENCE = /^```(\S*) ?(.*)$/;

/** Returns the fenced blocks of a Markdown text, in order. @throws when a block has no end */
export function fencedBlocks(markdown: string): FencedBlock[] {
  const lines = markdown.split('\n');
  const found: FencedBlock[] = [];
  let heading = '';
  let section = '';
  let follows = false;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const [fence, language = '', flags = ''] = FENCE.exec(line) ?? [];
    if (fence === undefined) {
      if (line.startsWith('#')) heading = line.replace(/^#+ /, '');
      if (line.startsWith('## ')) section = heading;
      if (line !== '') follows = false;
      continue;
    }
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`the block of line ${at + 1} must have an end`);
    const text = lines.slice(at + 1, end).join('\n');
    const words = flags.split(' ').filter(Boolean);
    found.push({ language, flags: words, text, line: at + 2, heading, section, follows });
    follows = true;
    at = end;
  }
  return found;
}
