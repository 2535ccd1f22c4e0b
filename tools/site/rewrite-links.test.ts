import { expect, test } from 'vitest';
import { rewriteLinks } from './rewrite-links.ts';

const client = { source: 'packages/client/README.md', target: 'packages/client/index.md' };
const pages = [
  { source: 'README.md', target: 'index.md' },
  { source: 'PROTOCOL.md', target: 'PROTOCOL.md' },
  client,
];
const repository = 'https://example.com/repository';
const exists = (path: string): boolean => ['examples/consistency', 'tools/check.ts'].includes(path);
const rewrite = (markdown: string): string => rewriteLinks(markdown, client, { pages, exists, repository });

test.each([
  ['[a](../../PROTOCOL.md#streams)', '[a](../../PROTOCOL.md#streams)'],
  ['[a](../..)', '[a](../../index.md)'],
  ['[a](../client)', '[a](./index.md)'],
  [
    '[`a`](../../examples/consistency) [b](../../tools/check.ts)',
    `[\`a\`](${repository}/tree/main/examples/consistency) [b](${repository}/blob/main/tools/check.ts)`,
  ],
  [
    '[a](https://example.com) [b](#options) ![c](../../docs/c.png)',
    '[a](https://example.com) [b](#options) ![c](../../docs/c.png)',
  ],
  ['[a\nb](../..)', '[a\nb](../../index.md)'],
  ['```\n[a](nothing)\n```', '```\n[a](nothing)\n```'],
])('%j becomes %j', (markdown, expected) => expect(rewrite(markdown)).toBe(expected));

test('a link that leads nowhere is an error with its document', () => {
  expect(() => rewrite('[a](../nothing)')).toThrow('packages/client/README.md: the link ../nothing');
});
