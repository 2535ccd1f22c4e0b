import { brotliCompressSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type BundledFile, bundleClient } from '../scripts/standalone.ts';
import * as browser from '../src/browser.ts';
import * as node from '../src/index.ts';

/** Maximum size of what a page loads at once, by how a server compresses it. */
const BROTLI_BYTES = 17_900;
const GZIP_BYTES = 19_600;

const atOnce = (files: readonly BundledFile[]): readonly BundledFile[] =>
  files.filter(({ loadedAtOnce }) => loadedAtOnce);

test('the file for pages is small, and is one', async () => {
  const [file, ...others] = atOnce(await bundleClient());
  expect(others).toEqual([]);
  const bytes = Buffer.from(file?.code ?? '');
  expect(brotliCompressSync(bytes).length).toBeLessThan(BROTLI_BYTES);
  expect(gzipSync(bytes, { level: 9 }).length).toBeLessThan(GZIP_BYTES);
});

test('a page that connects carries neither the schemas, the registry, OpenTelemetry nor Ed25519', async () => {
  const files = await bundleClient();
  const modules = atOnce(files).flatMap((file) => file.modules);
  const unwanted = /typebox|\/schemas\/|\/registry\/|\/in-process\/|@opentelemetry|@noble/;
  expect(modules.filter((id) => unwanted.test(id))).toEqual([]);
  expect(modules.some((id) => id.endsWith('/protocol/src/methods/method-table.ts'))).toBe(true);
  const onDemand = files.filter(({ loadedAtOnce }) => !loadedAtOnce).flatMap((file) => file.modules);
  for (const name of ['@opentelemetry/api', '@noble/curves', 'persistent-subscriptions']) {
    expect(
      onDemand.some((id) => id.includes(name)),
      name,
    ).toBe(true);
  }
});

test('browsers get everything but the Gater in process', () => {
  expect([...Object.keys(browser), 'createGater'].sort()).toEqual(Object.keys(node).sort());
});
