import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** A file of the dashboard, as it is sent. */
export interface DashboardFile {
  readonly body: Buffer;
  /** The body for clients that accept gzip; made once, when the first of them asks. */
  gzipped(): Promise<Buffer>;
  readonly headers: Readonly<Record<string, string>>;
}

/** The files of the dashboard by their paths, such as `/assets/index-4f2a.js`. */
export type DashboardFiles = ReadonlyMap<string, DashboardFile>;

/** Where the build of this package puts the built dashboard. */
const FOLDER = join(import.meta.dirname, '..', '..', 'public');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * The policy of the page: scripts, styles and images only from files of the gateway, nothing inline, no other host, no markup
 * from text. `'self'` includes the WebSocket of the same host.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const PAGE_HEADERS = {
  'content-security-policy': POLICY,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
  'cache-control': 'no-cache',
};

/** Names of built files contain a hash of their content. */
const FILE_HEADERS = { 'cache-control': 'public, max-age=31536000, immutable' };

const compress = promisify(gzip);

/** Reads the built dashboard. The map is empty when it was not built, as in a checkout that runs from its sources. */
export function readDashboardFiles(folder: string = FOLDER): DashboardFiles {
  if (!existsSync(join(folder, 'index.html'))) return new Map();
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return new Map(
    names.map((entry) => {
      const file = join(entry.parentPath, entry.name);
      const path = file.slice(folder.length).replaceAll('\\', '/');
      return [path === '/index.html' ? '/' : path, dashboardFile(path, readFileSync(file))];
    }),
  );
}

function dashboardFile(path: string, body: Buffer): DashboardFile {
  const isHashed = path.startsWith('/assets/');
  let gzipped: Promise<Buffer> | undefined;
  return {
    body,
    gzipped: () => (gzipped ??= compress(body)),
    headers: {
      ...(isHashed ? FILE_HEADERS : PAGE_HEADERS),
      'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
      etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
      vary: 'Accept-Encoding',
    },
  };
}
