import { readFileSync } from 'node:fs';

/** A JSON example of PROTOCOL.md. */
export interface Example {
  /** The heading of its section. */
  readonly heading: string;
  readonly value: Record<string, unknown>;
}

/** A call of PROTOCOL.md with the result that follows it. */
export interface CallExample {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly result: unknown;
}

/** The machine-readable content of PROTOCOL.md. */
export interface ProtocolDocument {
  readonly text: string;
  readonly examples: readonly Example[];
  /** By method. */
  readonly calls: ReadonlyMap<string, CallExample>;
  /** The only example under a heading. @throws when there is not exactly one */
  shape(heading: string): Record<string, unknown>;
  /** The first cells of the table under a heading that has `column` as its first column, without backticks. */
  firstColumn(heading: string, column: string): readonly string[];
}

const DOCUMENT = new URL('../../../../PROTOCOL.md', import.meta.url);

/** Reads PROTOCOL.md. @throws when an example is not valid JSON, or a result has no call before it */
export function readProtocolDocument(): ProtocolDocument {
  const text = readFileSync(DOCUMENT, 'utf8');
  const examples = examplesOf(text);
  return {
    text,
    examples,
    calls: callsOf(examples),
    shape(heading) {
      const [found, ...others] = examples.filter((example) => example.heading === heading);
      if (found === undefined || others.length > 0) {
        throw new Error(`"${heading}" must have one example, got ${others.length + (found ? 1 : 0)}`);
      }
      return found.value;
    },
    firstColumn: (heading, column) =>
      tablesOf(sectionOf(text, heading))
        .filter(([head]) => head === column)
        .flatMap(([, ...cells]) => cells.map((cell) => cell.replaceAll('`', ''))),
  };
}

function examplesOf(text: string): Example[] {
  const examples: Example[] = [];
  let heading = '';
  for (const [, title, json] of text.matchAll(/^#+ (.+)$|^```json\n([\s\S]*?)\n```$/gm)) {
    if (title !== undefined) heading = title;
    else examples.push({ heading, value: JSON.parse(json ?? '') as Record<string, unknown> });
  }
  return examples;
}

function callsOf(examples: readonly Example[]): ReadonlyMap<string, CallExample> {
  const calls = new Map<string, CallExample>();
  const requests = new Map<unknown, Record<string, unknown>>();
  for (const { value } of examples) {
    if (value['id'] === undefined || value['jsonrpc'] === undefined) continue;
    if (typeof value['method'] === 'string') requests.set(value['id'], value);
    if (!('result' in value)) continue;
    const request = requests.get(value['id']);
    if (request === undefined)
      throw new Error(`the result of call ${String(value['id'])} has no call before it`);
    const method = request['method'] as string;
    calls.set(method, {
      method,
      params: request['params'] as CallExample['params'],
      result: value['result'],
    });
  }
  return calls;
}

/** The text from a heading to the next one of the same or a higher level. */
function sectionOf(text: string, heading: string): string {
  const start = text.search(new RegExp(`^#+ ${heading}$`, 'm'));
  if (start < 0) throw new Error(`PROTOCOL.md must have the heading "${heading}"`);
  const level = /^#+/.exec(text.slice(start))?.[0].length ?? 1;
  const rest = text.slice(text.indexOf('\n', start));
  const end = rest.search(new RegExp(`^#{1,${level}} `, 'm'));
  return end < 0 ? rest : rest.slice(0, end);
}

/** The first cell of every row of every table, with the head first and without the rule below it. */
function tablesOf(section: string): string[][] {
  return section
    .split('\n\n')
    .map((block) => block.split('\n').filter((line) => line.startsWith('|')))
    .filter((lines) => lines.length > 0)
    .map((lines) =>
      lines.map((line) => line.split('|')[1]?.trim() ?? '').filter((cell) => !/^-+$/.test(cell)),
    );
}
