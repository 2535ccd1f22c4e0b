import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { bundleClient } from '../../packages/client/scripts/standalone.ts';

/** What a page loads at once, minified. */
export interface ClientSize {
  readonly name: string;
  readonly bytes: number;
  readonly gzipBytes: number;
  readonly brotliBytes: number;
}

/** The client, and what others connect with. */
const OTHERS: Readonly<Record<string, string>> = {
  'socket.io-client': 'io',
  centrifuge: 'Centrifuge',
  '@nats-io/nats-core': 'wsconnect',
};

const INSTALLED = join(import.meta.dirname, 'node_modules');

/** Bundles the client and, where `npm ci --prefix tools/packages` was run, those of others in the same way. */
export async function clientSizes(): Promise<readonly ClientSize[]> {
  const sizes = [await sizeOf('@esdb-gater/client')];
  for (const [name, imported] of Object.entries(OTHERS)) {
    if (!existsSync(join(INSTALLED, name))) continue;
    const entries = join(INSTALLED, '.entries');
    mkdirSync(entries, { recursive: true });
    const entry = join(entries, `${imported}.js`);
    writeFileSync(entry, `export { ${imported} } from '${name}';\n`);
    sizes.push(await sizeOf(name, entry));
  }
  return sizes;
}

async function sizeOf(name: string, entry?: string): Promise<ClientSize> {
  const files = (await bundleClient(entry)).filter(({ loadedAtOnce }) => loadedAtOnce);
  const texts = files.map(({ code }) => Buffer.from(code));
  const sum = (size: (bytes: Buffer) => number): number => texts.reduce((all, text) => all + size(text), 0);
  return {
    name,
    bytes: sum(({ length }) => length),
    gzipBytes: sum((bytes) => gzipSync(bytes, { level: 9 }).length),
    brotliBytes: sum((bytes) => brotliCompressSync(bytes).length),
  };
}
