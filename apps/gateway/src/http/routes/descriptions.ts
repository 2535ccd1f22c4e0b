import type { FastifyReply, RouteOptions } from 'fastify';
import { describeWebSocket } from '../describe/async-api.ts';
import { DOCS_STYLE, docsPage } from '../describe/docs-page.ts';
import { describeHttp } from '../describe/open-api.ts';
import { ASYNCAPI, DOCS, DOCS_STYLESHEET, OPENAPI } from '../describe/operations.ts';

export interface DescriptionOptions {
  readonly version: string;
  readonly tokensRequired: boolean;
  /** The WebSocket URL, which is known once the port is bound. */
  readonly url: () => string;
  /** The path in front of all paths, such as `/gater`; empty at the root. */
  readonly prefix: string;
}

/** Only its own stylesheet: no script, and nothing of another host. */
const PAGE_HEADERS: Readonly<Record<string, string>> = Object.freeze({
  'content-security-policy':
    "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
});

/** Returns `routes` and those that describe all of them. The descriptions are written when they are first asked for. */
export function withDescriptions(
  routes: readonly RouteOptions[],
  options: DescriptionOptions,
): readonly RouteOptions[] {
  const openApi = once(() => describeHttp(all, options));
  const asyncApi = once(() => describeWebSocket({ version: options.version, url: options.url() }));
  const json = (describe: () => object) => {
    const body = once(() => Buffer.from(JSON.stringify(describe())));
    return (_request: unknown, reply: FastifyReply) =>
      reply.header('cache-control', 'no-cache').type('application/json; charset=utf-8').send(body());
  };
  const page = once(() => docsPage(openApi(), asyncApi(), options.prefix));
  const all: readonly RouteOptions[] = [
    ...routes,
    { method: 'GET', url: '/openapi.json', config: { operation: OPENAPI }, handler: json(openApi) },
    { method: 'GET', url: '/asyncapi.json', config: { operation: ASYNCAPI }, handler: json(asyncApi) },
    {
      method: 'GET',
      url: '/docs',
      config: { operation: DOCS },
      handler: (_request, reply) => reply.headers(PAGE_HEADERS).type('text/html; charset=utf-8').send(page()),
    },
    {
      method: 'GET',
      url: '/docs/style.css',
      config: { operation: DOCS_STYLESHEET },
      handler: (_request, reply) =>
        reply.header('cache-control', 'no-cache').type('text/css; charset=utf-8').send(DOCS_STYLE),
    },
  ];
  return all;
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
