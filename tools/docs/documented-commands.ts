import { parse } from 'shell-quote';
import type { FencedBlock } from './fenced-blocks.ts';

/** A command that a document tells its reader to run. */
export interface DocumentedCommand {
  /** The document and the line: `README.md:12`. */
  readonly name: string;
  readonly words: readonly string[];
}

/** Returns the simple commands of the blocks in `sh` of a document, without their variables and redirections. */
export function documentedCommands(document: string, blocks: readonly FencedBlock[]): DocumentedCommand[] {
  return blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text, line }) =>
      commandLines(text).flatMap((one) =>
        simpleCommands(one.text).map((words) => ({ name: `${document}:${line + one.offset}`, words })),
      ),
    );
}

/** Returns the lines of a script. A line that ends in a backslash is continued by the next. */
function commandLines(script: string): { readonly text: string; readonly offset: number }[] {
  const lines: { text: string; offset: number }[] = [];
  let isContinued = false;
  for (const [offset, line] of script.split('\n').entries()) {
    const text = line.replace(/\\$/, ' ');
    const last = lines.at(-1);
    if (isContinued && last !== undefined) last.text += text;
    else lines.push({ text, offset });
    isContinued = line.endsWith('\\');
  }
  return lines;
}

/** Splits a line at its pipes, lists and substitutions. */
function simpleCommands(line: string): string[][] {
  const commands: string[][] = [[]];
  for (const token of parse(line, (name) => `$${name}`)) {
    if (typeof token === 'string') commands.at(-1)?.push(token);
    else if ('pattern' in token) commands.at(-1)?.push(token.pattern);
    else if ('op' in token) commands.push([]);
  }
  return commands.map(withoutVariables).filter((words) => words.length > 0);
}

function withoutVariables(words: readonly string[]): string[] {
  const first = words.findIndex((word) => !/^\w+=/.test(word) && word !== 'export' && word !== '$');
  return first < 0 ? [] : words.slice(first);
}

/** Returns the words for the command line `esdb-gater`, or undefined for another program. */
export function gatewayArguments([program, ...rest]: readonly string[]): readonly string[] | undefined {
  if (program === 'esdb-gater') return rest;
  if (program === 'npx' && rest[0] === 'esdb-gater') return rest.slice(1);
  if (program !== 'npm') return undefined;
  if (rest[0] === 'start') return ['start', ...rest.slice(2).filter(isNotFlags)];
  if (rest[0] === 'exec' && rest[2] === 'esdb-gater') return rest.slice(3);
  return undefined;
}

/** `start` takes no arguments: a variable that is not the value of an option holds flags. */
function isNotFlags(word: string, index: number, words: readonly string[]): boolean {
  return !word.startsWith('$') || words[index - 1]?.startsWith('--') === true;
}

/** Returns the script of `npm run` and the workspace that has it, or undefined for another command. */
export function npmScript(
  words: readonly string[],
): { readonly script: string; readonly workspace: string | undefined } | undefined {
  const [program, verb, ...rest] = words;
  const script = rest.find((word) => !word.startsWith('-'));
  if (program !== 'npm' || verb !== 'run' || script === undefined) return undefined;
  const option = words.findIndex((word) => word === '-w' || word === '--workspace');
  return { script, workspace: option < 0 ? undefined : words[option + 1] };
}
