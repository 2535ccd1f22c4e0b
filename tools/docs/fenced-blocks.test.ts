import { expect, test } from 'vitest';
import { expectedLines, masked, missingLines } from './expected-output.ts';
import { fencedBlocks } from './fenced-blocks.ts';

test('blocks are found with their language, flags, headings, line and neighbours', () => {
  const markdown = '# One\n\n```sh run\nls\n```\n\n```text\na\nb\n```\n\nwords\n\n## Two\n```ts\n1;\n```\n';
  expect(fencedBlocks(markdown)).toEqual([
    { language: 'sh', flags: ['run'], text: 'ls', line: 4, heading: 'One', section: '', follows: false },
    { language: 'text', flags: [], text: 'a\nb', line: 8, heading: 'One', section: '', follows: true },
    { language: 'ts', flags: [], text: '1;', line: 16, heading: 'Two', section: 'Two', follows: false },
  ]);
  expect(() => fencedBlocks('```sh\nls')).toThrow('must have an end');
});

test('a comment after a statement is its output, a comment on a separate line is not', () => {
  expect(expectedLines('// first\nconsole.log(1); // 1\nfor (;;) { // always\n}); // 2 …')).toEqual([
    '1',
    '2 …',
  ]);
});

test('expected lines are searched in order', () => {
  expect(missingLines(['a', 'c'], ['a', 'b', 'c'])).toEqual([]);
  expect(missingLines(['c', 'a'], ['a', 'b', 'c'])).toEqual(['a']);
  expect(missingLines(['a … z'], ['a b z'])).toEqual([]);
  expect(missingLines(['a.z'], ['abz'])).toEqual(['a.z']);
});

test('only values that differ between runs are masked', () => {
  const line =
    '{"id":"01a21ee9-d54e-724f-9c1f-d65a2c25b30c","time":"2026-11-27T21:29:30.706Z","position":12,"version":1}';
  expect(masked(`\u001b[32m${line}\u001b[39m\r\n`)).toBe(
    '{"id":"<uuid>","time":"<time>","position":<position>,"version":1}',
  );
});

test('of a line that was written again only the last text counts, as at a terminal', () => {
  expect(masked('[==  ] 50 %\r\u001b[Kimported 3 events into 2 streams\r\n')).toBe(
    'imported <n> events into <n> streams',
  );
});
