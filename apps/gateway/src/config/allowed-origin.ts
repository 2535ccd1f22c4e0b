/** An origin as a browser sends it in the `Origin` header, in lower case. */
export interface AllowedOrigin {
  readonly origin: string;
  readonly hostname: string;
}

/**
 * Schemes that no `Origin` header has: pages of these have the opaque origin `null`, as any sandboxed page has, or,
 * for WebSocket URLs, the origin of their page.
 */
const WITHOUT_ORIGIN: ReadonlySet<string> = new Set([
  'about:',
  'blob:',
  'data:',
  'file:',
  'ftp:',
  'javascript:',
  'ws:',
  'wss:',
]);

/** `<scheme>://<host>`, and a port if need be. A final slash is tolerated. */
const FORM = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@*\\\s]+\/?$/i;

/**
 * Parses an entry of `http.allowedOrigins`: the origin of a site or of an app shell, such as `https://app.example`,
 * `capacitor://localhost` or `chrome-extension://<id>`. Returns undefined for a pattern that can never match.
 */
export function parseAllowedOrigin(text: string): AllowedOrigin | undefined {
  const url = FORM.test(text) ? URL.parse(text) : null;
  if (url === null || url.hostname === '' || WITHOUT_ORIGIN.has(url.protocol)) return undefined;
  // `URL.origin` is "null" for every scheme that the URL standard does not know, but browsers send these as they are.
  return { origin: `${url.protocol}//${url.host}`.toLowerCase(), hostname: url.hostname.toLowerCase() };
}
