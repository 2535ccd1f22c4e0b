import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { expect, test } from 'vitest';
import * as browser from '../src/browser.ts';
import * as node from '../src/index.ts';

/** What a bundler makes of a page that connects: the modules that are left, and the bytes. */
async function bundle(): Promise<{ readonly modules: readonly string[]; readonly bytes: number }> {
  const entry = 'virtual:page';
  const bundled = await rolldown({
    input: entry,
    platform: 'browser',
    cwd: join(import.meta.dirname, '..'),
    resolve: { conditionNames: ['@esdb-gater/source', 'browser', 'import', 'default'] },
    plugins: [
      {
        name: 'page',
        resolveId: (id) => (id === entry ? join(import.meta.dirname, 'page.js') : null),
        load: (id) =>
          id.endsWith('page.js')
            ? `export { connect } from '${import.meta.resolve('../src/browser.ts')}';`
            : null,
      },
    ],
  });
  const { output } = await bundled.generate({ format: 'esm', minify: true });
  const chunks = output.filter((one) => one.type === 'chunk');
  return {
    modules: chunks.flatMap(({ modules }) =>
      Object.entries(modules).flatMap(([id, { renderedLength }]) => (renderedLength > 0 ? [id] : [])),
    ),
    bytes: chunks.reduce((sum, { code }) => sum + code.length, 0),
  };
}

test('a page that connects carries neither the schemas nor the registry', async () => {
  const { modules, bytes } = await bundle();
  expect(modules.filter((id) => /typebox|\/schemas\/|\/registry\/|\/in-process\//.test(id))).toEqual([]);
  expect(modules.some((id) => id.endsWith('/protocol/src/methods/method-table.ts'))).toBe(true);
  // The schemas and what compiles them would add more than half as much again.
  expect(bytes).toBeLessThan(130_000);
});

test('browsers get everything but the Gater in process', () => {
  expect([...Object.keys(browser), 'createGater'].sort()).toEqual(Object.keys(node).sort());
});
