import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { machineText } from './machine.ts';

const FILE = join(import.meta.dirname, '..', 'RESULTS.md');

const HEAD = `# Results

Written by \`npm run bench -- NAME\`; each section is the last run of that bench. Every figure is the median, with
minimum and maximum of the rounds in brackets. Contestants run interleaved, in processes of their own. The medians are
in \`results.json\` as well, and drawn in \`pictures/\`.
`;

/** A row of a section's table. */
export type Row = readonly string[];

let isDry = false;

/** From now on sections are printed and not written: the run is a check against what stands there. */
export function writeNothing(): void {
  isDry = true;
}

/** Replaces the section of a bench in RESULTS.md, and prints it. */
export function writeSection(
  title: string,
  notes: readonly string[],
  header: Row,
  rows: readonly Row[],
): void {
  const table = [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
  const section = [
    `## ${title}`,
    '',
    machineText(),
    '',
    ...notes.flatMap((note) => [note, '']),
    table,
    '',
  ].join('\n');
  process.stdout.write(`${section}\n`);
  if (isDry) return;
  const old = existsSync(FILE) ? readFileSync(FILE, 'utf8') : HEAD;
  const sections = old.split(/^(?=## )/m);
  const index = sections.findIndex((one) => one.startsWith(`## ${title}\n`));
  if (index === -1) sections.push(section);
  else sections[index] = section;
  writeFileSync(FILE, `${sections.map((one) => one.trimEnd()).join('\n\n')}\n`);
}
