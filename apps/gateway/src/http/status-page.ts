/** A static page: it contains nothing from a store or a caller, and its policy forbids scripts. */
export const STATUS_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>esdb-gater</title>
</head>
<body>
<h1>esdb-gater</h1>
<p>This is a gateway for event stores and channels.</p>
<ul>
<li>WebSocket: <code>/v1/ws</code> (JSON-RPC 2.0, subprotocol <code>esdb-gater.v1</code>)</li>
<li><a href="/health">Health</a>, <a href="/readyz">readiness</a>, <a href="/metrics">metrics</a></li>
<li><a href="/v1/channels">Channels</a></li>
</ul>
</body>
</html>
`;

export const STATUS_PAGE_HEADERS: Readonly<Record<string, string>> = Object.freeze({
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
});
