/** A part of a list of names: one name, or all names with the same beginning. */
export interface NameRange {
  readonly text: string;
  /** True for all names that begin with `text`. */
  readonly open: boolean;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it matches everything that is not ASCII
const BEYOND_ASCII = /[^\u0000-\u007f]/;

/** Characters that NFC replaces by an ASCII character, by that character. There are no others. */
const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ['K', '\u212a'],
  [';', '\u037e'],
  ['`', '\u1fef'],
]);

/** The maximum number of characters of a name whose other spellings are searched. A range ends before the next one. */
const MAX_RESPELT = 8;

/**
 * Returns the ranges that contain the names below `prefix` that grants cover, sorted by their UTF-8 bytes, without
 * overlaps. `prefix` is a resource up to and with its last slash.
 *
 * The ranges contain every covered name, and may contain others: a grant is in NFC but a name in a store may not be, so
 * a range ends before the first character that has several spellings. Only the grants decide which of the names in a
 * range are visible.
 */
export function rangesBelow(resources: readonly string[], prefix: string): readonly NameRange[] {
  const ranges = resources
    .flatMap((resource) => rangesOf(resource, prefix))
    // The range of all names with a prefix sorts before the single name of the same text.
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

function rangesOf(resource: string, prefix: string): readonly NameRange[] {
  const open = resource.endsWith('*');
  const named = open ? resource.slice(0, -1) : resource;
  if (open && prefix.startsWith(named)) return [{ text: '', open: true }];
  if (!named.startsWith(prefix)) return [];
  // Grants are in normal form, so that even a beginning is percent-encoded in whole characters.
  const name = decodeURIComponent(named.slice(prefix.length));
  const cut = name.search(BEYOND_ASCII);
  return cut === -1 ? spelt(name, open) : spelt(name.slice(0, cut), true);
}

/** Returns the range of an ASCII text, and those of the names that NFC converts to it. */
function spelt(text: string, open: boolean): readonly NameRange[] {
  const ranges: NameRange[] = [];
  for (const [i, character] of [...text].entries()) {
    const other = SPELLINGS.get(character);
    if (other === undefined) continue;
    if (ranges.length === MAX_RESPELT) return [...ranges, { text: text.slice(0, i), open: true }];
    ranges.push({ text: text.slice(0, i) + other, open: true });
  }
  return [{ text, open }, ...ranges];
}
