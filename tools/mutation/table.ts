import type { Score } from './score.ts';

const BEGIN = '<!-- mutation: begin, written by `npm run mutation` -->';
const END = '<!-- mutation: end -->';

const HEAD =
  '| package | date | mutants | share | found | equivalent | score |\n|---|---|---|---|---|---|---|';

export interface TableRow {
  /** The folder of the package under `packages`. */
  readonly name: string;
  /** ISO 8601, without the time. */
  readonly date: string;
  /** The part of the mutants that was tried. */
  readonly share: number;
  readonly score: Score;
}

/**
 * Returns the document with the row of a package in its table of scores: replaced, or added in the order of names.
 *
 * @throws Error when the document has no such table
 */
export function withRow(document: string, row: TableRow): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the document must contain ${BEGIN} and ${END}`);
  const rows = document
    .slice(begin + BEGIN.length, end)
    .split('\n')
    .filter((line) => line.startsWith('| `') && !line.startsWith(`| \`${row.name}\` |`));
  const table = [...rows, renderRow(row)].sort().join('\n');
  return `${document.slice(0, begin)}${BEGIN}\n\n${HEAD}\n${table}\n\n${document.slice(end)}`;
}

function renderRow({ name, date, share, score }: TableRow): string {
  const { tried, killed, equivalent, percent } = score;
  return `| \`${name}\` | ${date} | ${tried} | ${Math.round(share * 100)} % | ${killed} | ${equivalent} | ${percent.toFixed(1)} % |`;
}
