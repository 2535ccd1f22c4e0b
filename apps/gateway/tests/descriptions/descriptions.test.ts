// The OpenAPI and the AsyncAPI description, and the page that shows them.
import {
  CLOSE_CODES,
  METHOD_NAMES,
  type MethodName,
  NOTIFICATIONS,
  validateParams,
  validateResult,
} from '@esdb-gater/protocol';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { DESCRIPTION_TOOLS, npmModule } from '../../../../tools/descriptions/descriptions.ts';
import { METHOD_EXAMPLES } from '../../src/http/describe/examples.ts';
import { startTestGateway, type TestGateway } from '../support/in-process.ts';

/** Every route of the running server that does not answer 405. */
const routes = vi.hoisted((): { readonly method: string; readonly url: string }[] => []);

vi.mock('fastify', async (importOriginal) => {
  const original = await importOriginal<typeof import('fastify')>();
  return {
    ...original,
    fastify: (options: object) => {
      const app = original.fastify(options);
      app.addHook('onRoute', ({ method, url, config }) => {
        if (config?.refuses === true) return;
        for (const one of [method].flat()) routes.push({ method: one, url });
      });
      return app;
    },
  };
});

/** What is used of `@asyncapi/parser`, which is not installed with the project. */
interface AsyncApiParser {
  readonly Parser: new () => {
    parse(text: string): Promise<{
      readonly document?: { version(): string };
      readonly diagnostics: readonly { readonly code: string | number }[];
    }>;
  };
}

type Json = { readonly [name: string]: Json };

let gateway: TestGateway;
let openApi: Json;
let asyncApi: Json;
beforeAll(async () => {
  gateway = await startTestGateway({ stores: '{"default":{"engine":"memory"}}' });
  openApi = (await (await fetch(`${gateway.http}/openapi.json`)).json()) as Json;
  asyncApi = (await (await fetch(`${gateway.http}/asyncapi.json`)).json()) as Json;
});
afterAll(() => gateway.close());

const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();

/** The operations of the OpenAPI description. */
const operations = (): { readonly path: string; readonly method: string; readonly operation: Json }[] =>
  Object.entries(openApi['paths'] ?? {}).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );

describe('the OpenAPI description', () => {
  test('is valid', async () => {
    expect(await new Validator().validate(structuredClone(openApi))).toEqual({ valid: true });
    expect(openApi['openapi']).toMatch(/^3\.1\./);
  });

  test('has exactly the routes of the server; the WebSocket is in the AsyncAPI description', () => {
    const described = operations().map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    const served = routes
      // Fastify answers HEAD wherever it answers GET.
      // The files of the dashboard are not an interface: their names change with every build.
      .filter(({ method, url }) => method !== 'HEAD' && url !== '/v1/ws' && !/^\/(assets|favicon)/.test(url))
      .map(({ method, url }) => `${method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect(sorted(described)).toEqual(sorted(served));
    const { gateway: server } = asyncApi['servers'] ?? {};
    expect(server).toMatchObject({ pathname: '/v1/ws' });
  });

  test('names operations like methods, each once', () => {
    const ids = operations().map(({ operation }) => String(operation['operationId']));
    expect(ids).toEqual([...new Set(ids)]);
    const others = ids.filter((id) => !METHOD_NAMES.includes(id as MethodName));
    expect(sorted(others)).toEqual([
      'asyncApi',
      'docs',
      'docsStylesheet',
      'getSubscription',
      'livez',
      'metrics',
      'openApi',
      'page',
      'readyz',
    ]);
  });

  test('names every status with its headers', () => {
    const append = openApi['paths']?.['/v1/stores/{storeId}/streams/{streamId}/events']?.['post'];
    expect(Object.keys(append?.['responses'] ?? {})).toEqual([
      '200',
      '201',
      '400',
      '401',
      '403',
      '404',
      '405',
      '409',
      '413',
      '414',
      '415',
      '422',
      '500',
      '503',
      '504',
    ]);
    const responses = openApi['paths']?.['/v1/channels/{channel}/messages']?.['post']?.['responses'];
    expect(responses).toMatchObject({
      401: { headers: { 'WWW-Authenticate': {} } },
      405: { headers: { Allow: {} } },
      429: { headers: { 'Retry-After': {} } },
      503: {
        headers: { 'Retry-After': {} },
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    });
  });

  test('asks for a token where the gateway does', async () => {
    await using strict = await startTestGateway({
      stores: '{"default":{"engine":"memory"}}',
      'security-capabilities': 'required',
    });
    const described = (await (await fetch(`${strict.http}/openapi.json`)).json()) as Json;
    expect(described['security']).toEqual([{ bearer: [] }]);
    expect(described['paths']?.['/livez']?.['get']?.['security']).toEqual([]);
    expect(described['paths']?.['/health']?.['get']?.['security']).toBeUndefined();
    expect(openApi['security']).toEqual([{ bearer: [] }, {}]);
  });
});

describe('the AsyncAPI description', () => {
  const parser = npmModule('@asyncapi/parser');

  test.skipIf(parser === undefined && process.env['CI'] !== 'true')('is valid', async () => {
    if (parser === undefined) throw new Error(`@asyncapi/parser is missing: ${DESCRIPTION_TOOLS.npm}`);
    const { Parser } = (await import(parser)) as AsyncApiParser;
    const { document, diagnostics } = await new Parser().parse(JSON.stringify(asyncApi));
    // It is told of newer versions, which is not an error.
    expect(diagnostics.filter(({ code }) => code !== 'asyncapi-latest-version')).toEqual([]);
    expect(document?.version()).toBe('3.0.0');
  });

  test('has every method and every notification', () => {
    const { operations: all = {} } = asyncApi;
    const received = Object.keys(all).filter((name) => !name.startsWith('worker.'));
    expect(sorted(received)).toEqual(sorted([...METHOD_NAMES, ...Object.keys(NOTIFICATIONS)]));
    expect(all['appendEvents']).toMatchObject({ action: 'receive' });
    expect(all['worker.appendEvents']).toMatchObject({ action: 'send' });
    expect(all['message']).toMatchObject({ action: 'send' });
    expect(all['committed']).toMatchObject({ action: 'receive' });
  });

  test('has every reference and every close code', () => {
    const text = JSON.stringify(asyncApi);
    for (const [, path = ''] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const target = path.split('/').reduce<Json | undefined>((at, name) => at?.[name], asyncApi);
      expect(target, path).toBeDefined();
    }
    const codes = asyncApi['channels']?.['gateway']?.['x-close-codes'] as unknown as { code: number }[];
    expect(codes.map(({ code }) => code)).toEqual(Object.values(CLOSE_CODES));
  });
});

test('the examples fit the schemas that validate', () => {
  for (const [method, { params, result }] of Object.entries(METHOD_EXAMPLES)) {
    expect(() => validateParams(method, params), method).not.toThrow();
    expect(() => validateResult(method as MethodName, result), method).not.toThrow();
  }
});

test('the page at /docs shows both descriptions, and neither runs scripts nor asks other hosts', async () => {
  const answer = await fetch(`${gateway.http}/docs`);
  expect(answer.headers.get('content-security-policy')).toBe(
    "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  );
  const html = await answer.text();
  for (const method of METHOD_NAMES) expect(html, method).toContain(`id="ws-${method}"`);
  for (const { operation } of operations())
    expect(html).toContain(`id="http-${String(operation['operationId'])}"`);
  const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id = '']) => id);
  expect(ids).toEqual([...new Set(ids)]);
  for (const [, id = ''] of html.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(id);
  expect(html).not.toMatch(/<script|style="|(?:href|src)="(?!#|\/)/);
  const style = await fetch(`${gateway.http}/docs/style.css`);
  expect(style.headers.get('content-type')).toBe('text/css; charset=utf-8');
});
