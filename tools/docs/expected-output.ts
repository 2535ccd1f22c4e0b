/** A comment after a statement: its output. */
const COMMENT = /[;,)}]\s*\/\/ (.+)$/;

/** Returns the output that a snippet's comments announce, in order. */
export function expectedLines(snippet: string): string[] {
  return snippet.split('\n').flatMap((line) => COMMENT.exec(line)?.[1] ?? []);
}

/** Returns the expected lines that are not among the printed ones, looked for in order. `…` matches any text. */
export function missingLines(expected: readonly string[], printed: readonly string[]): string[] {
  let at = 0;
  return expected.filter((line) => {
    const found = printed.findIndex((other, index) => index >= at && matches(line, other));
    if (found >= 0) at = found + 1;
    return found < 0;
  });
}

function matches(expected: string, printed: string): boolean {
  const parts = expected.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(printed);
}

/** The values that differ between runs, with their placeholders. */
const MASKS: readonly (readonly [RegExp, string])[] = [
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with an escape
  [/\u001b\[[0-9;?]*[A-Za-z]/g, ''],
  [/\r+\n/g, '\n'],
  // A terminal writes what follows a carriage return over the line.
  [/.*\r/g, ''],
  [/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>'],
  [/did:key:z\w+/g, '<did>'],
  [/\bbafkrei\w+/g, '<token>'],
  [/\(\d+ s left\)/g, '(<n> s left)'],
  [/\d{4}-\d\d-\d\d[T ][\d:.]+Z/g, '<time>'],
  [/"epochUs":\d+/g, '"epochUs":<time>'],
  [/"position":("[^"]+"|\d+)/g, '"position":<position>'],
  [/^id: .+$/gm, 'id: <position>'],
  [/\d+ events into \d+ streams?/g, '<n> events into <n> streams'],
];

/** Returns a text with ids, times, positions and counts masked, so that two runs can be compared. */
export function masked(text: string): string {
  return MASKS.reduce((rest, [pattern, mask]) => rest.replaceAll(pattern, mask), text).trimEnd();
}
