/** Names that a grant speaks of: one, or all that begin alike. */
export interface NameRange {
  readonly text: string;
  /** True for all names that begin with `text`. */
  readonly open: boolean;
}

/** What a grant that names everything, or everything of a kind, comes to. */
const EVERYTHING: NameRange = { text: '', open: true };

// biome-ignore lint/suspicious/noControlCharactersInRegex: all that is not ASCII is looked for
const BEYOND_ASCII = /[^\u0000-\u007f]/;

/**
 * The names below `prefix`, a resource up to and with its last slash, that grants speak of: in the order of their UTF-8
 * bytes, and none within another. Empty when there are none.
 *
 * Beyond ASCII a name in a store may be spelt otherwise than in a grant, where it is in NFC. Such a range begins
 * before that, and holds names that the grant does not cover.
 */
export function rangesBelow(resources: readonly string[], prefix: string): readonly NameRange[] {
  const ranges = resources
    .map((resource) => rangeOf(resource, prefix))
    .filter((range) => range !== undefined)
    // Of one name alone and all that begin with it, the latter first.
    .sort(
      (a, b) => Buffer.compare(Buffer.from(a.text), Buffer.from(b.text)) || Number(b.open) - Number(a.open),
    );
  const apart: NameRange[] = [];
  for (const range of ranges) {
    const former = apart.findLast(({ open }) => open);
    const within = former !== undefined && range.text.startsWith(former.text);
    if (!within && apart.at(-1)?.text !== range.text) apart.push(range);
  }
  return apart;
}

function rangeOf(resource: string, prefix: string): NameRange | undefined {
  const open = resource.endsWith('*');
  const named = open ? resource.slice(0, -1) : resource;
  if (open && prefix.startsWith(named)) return EVERYTHING;
  if (!named.startsWith(prefix)) return undefined;
  // Grants are in normal form, so that even a beginning is percent-encoded in whole characters.
  const text = decodeURIComponent(named.slice(prefix.length));
  const cut = text.search(BEYOND_ASCII);
  return cut === -1 ? { text, open } : { text: text.slice(0, cut), open: true };
}

/** True when every name is in the ranges. */
export function isEverything(ranges: readonly NameRange[]): boolean {
  return ranges.some(({ text, open }) => open && text === '');
}
