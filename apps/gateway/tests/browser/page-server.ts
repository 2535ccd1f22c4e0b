import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type BrowserModules, browserModules } from './browser-modules.ts';

export interface PageServer {
  readonly origin: string;
  close(): Promise<void>;
}

const STANDALONE = join(import.meta.dirname, '../../../../packages/client/dist/standalone');

/** Returns a file of the bundle for pages without a bundler. */
function standaloneFile(path: string): Buffer | undefined {
  const [, name] = /^\/standalone\/([a-z0-9-]+\.js)$/.exec(path) ?? [];
  const file = name === undefined ? undefined : join(STANDALONE, name);
  return file !== undefined && existsSync(file) ? readFileSync(file) : undefined;
}

const NONCE = 'the-import-map';

/**
 * Serves an empty page with an import map of the built packages. Its policy forbids `eval`, as careful sites do, so
 * code that needs it fails here.
 */
export async function startPageServer(connectTo: readonly string[]): Promise<PageServer> {
  const modules: BrowserModules = browserModules([
    '@esdb-gater/client',
    '@esdb-gater/security',
    '@esdb-gater/types',
  ]);
  const policy = [
    "default-src 'none'",
    `script-src 'self' 'nonce-${NONCE}'`,
    `connect-src 'self' ${connectTo.join(' ')}`,
    'img-src data:',
  ].join('; ');
  const page = `<!doctype html><meta charset="utf-8"><title>page</title><link rel="icon" href="data:,">
<script type="importmap" nonce="${NONCE}">${modules.importMap}</script>`;
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://page').pathname;
    const source = modules.source(path);
    const standalone = standaloneFile(path);
    if (standalone !== undefined) {
      response.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8' }).end(standalone);
    } else if (source !== undefined) {
      response.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8' }).end(source);
    } else if (path === '/') {
      response
        .writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy })
        .end(page);
    } else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
