/**
 * Returns a document with another text between two of its lines, which stay. Tools write their tables so.
 *
 * @throws Error when the document does not have both lines, in this order
 */
export function replaceSection(document: string, begin: string, end: string, text: string): string {
  const [start, stop] = [document.indexOf(begin), document.indexOf(end)];
  if (start < 0 || stop < start) {
    throw new Error(`the document must have the lines ${begin} and ${end}`);
  }
  return `${document.slice(0, start + begin.length)}\n\n${text}\n${document.slice(stop)}`;
}
