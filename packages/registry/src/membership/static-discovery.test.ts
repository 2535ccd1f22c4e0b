import { discoverySuite } from '@esdb-gater/conformance';
import { expect, test } from 'vitest';
import { createStaticDiscovery } from './static-discovery.ts';

const suite = discoverySuite({
  name: 'static',
  supports: { announcing: false },
  open: async (nodes) => ({
    join: async () => createStaticDiscovery({ peers: nodes.map(({ url }) => url) }),
    close: async () => {},
  }),
});
for (const { title, run } of suite) test(title, run);

test('a URL that is listed twice is one node', async () => {
  const discovery = createStaticDiscovery({ peers: ['ws://a', 'ws://b', 'ws://a'] });
  const { value } = await discovery
    .watch({ signal: new AbortController().signal })
    [Symbol.asyncIterator]()
    .next();
  expect(value).toEqual([{ url: 'ws://a' }, { url: 'ws://b' }]);
});

test.each(['http://a', 'a:4590', '', 'ws://a b'])('%j is not a URL of a node', (url) => {
  expect(() => createStaticDiscovery({ peers: [url] })).toThrow(
    expect.objectContaining({ code: 'invalid_argument', reason: 'peers' }),
  );
});
