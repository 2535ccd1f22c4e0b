// Compares PROTOCOL.md with the methods of a gateway, and its examples with the schemas.
import {
  CLOSE_CODES,
  compileCheck,
  isMethodName,
  METHOD_NAMES,
  METHOD_SCHEMAS,
  type MethodName,
  NOTIFICATIONS,
  rpcCode,
  validateParams,
  validateResult,
} from '@esdb-gater/protocol';
import { REQUIRED_METHODS } from '@esdb-gater/registry';
import { ERROR_CODES, type ErrorCode } from '@esdb-gater/types';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/in-process.ts';
import { readProtocolDocument } from '../support/protocol-document.ts';
import { rawConnect } from '../support/raw-client.ts';

/** Every route that the running server is given, apart from those that answer 405. */
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

const document = readProtocolDocument();

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({ stores: '{"default":{"engine":"memory"}}' });
});
afterAll(() => gateway.close());

const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();

describe('PROTOCOL.md lists exactly what a gateway serves', () => {
  test('methods, which are all of the protocol', async () => {
    const client = await rawConnect(gateway.url);
    const served = client.hello['methods'] as string[];
    expect(sorted(document.firstColumn('Methods', 'method'))).toEqual(sorted(served));
    expect(sorted(served)).toEqual(sorted(METHOD_NAMES));
    await client.close();
  });

  test('the members of every method’s parameters', () => {
    const rows = document.text.matchAll(/^\| `(\w+)` \| `\{ ?(.*?) ?\}` \|/gm);
    for (const [, method = '', members = ''] of rows) {
      if (!isMethodName(method)) continue;
      const named = members.split(/, | or /).map((member) => member.replace(/ = .*$/, ''));
      const { properties, required = [] } = METHOD_SCHEMAS[method].params as unknown as {
        readonly properties: Readonly<Record<string, unknown>>;
        readonly required?: readonly string[];
      };
      const either = method === 'revokeToken' ? ['cid', 'iss'] : [];
      const expected = Object.keys(properties).map((name) =>
        required.includes(name) || either.includes(name) ? name : `${name}?`,
      );
      expect(sorted(named.filter((name) => name !== '')), method).toEqual(sorted(expected));
    }
  });

  test('HTTP routes, served and reserved', async () => {
    const served: string[] = [];
    const reserved: string[] = [];
    for (const { method, url } of routes) {
      if (method === 'HEAD') continue;
      const body = ['POST', 'PUT'].includes(method) ? { body: '{}' } : {};
      const headers = { 'content-type': 'application/json' };
      const path = url.replaceAll(/:\w+/g, 'x');
      const { status } = await fetch(gateway.http + path, { method, headers, ...body });
      if (status === 405) continue;
      (status === 501 ? reserved : served).push(`${method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`);
    }
    const listed = document.firstColumn('HTTP', 'request');
    expect(sorted(listed)).toEqual(sorted([...served, ...reserved]));
    const [, afterReserved = ''] = document.text.split('These routes are reserved.');
    expect(sorted(listed.filter((name) => afterReserved.includes(`\`${name}\``)))).toEqual(sorted(reserved));
  });

  test('error codes, with the retriable ones', () => {
    const rows = [...document.text.matchAll(/^\| `(\w+)` \| (yes|no) \|/gm)];
    expect(Object.fromEntries(rows.map(([, code = '', retriable]) => [code, retriable === 'yes']))).toEqual(
      Object.fromEntries(Object.entries(ERROR_CODES).map(([code, { retriable }]) => [code, retriable])),
    );
  });

  test('close codes that a gateway sends', () => {
    const { normal: _, broken: __, ...sent } = CLOSE_CODES;
    expect(document.firstColumn('Transport', 'close code').map(Number)).toEqual(Object.values(sent));
  });
});

describe('the examples of PROTOCOL.md fit the schemas', () => {
  test('calls and results', () => {
    for (const { method, params, result } of document.calls.values()) {
      const { deadlineMs, ...given } = params;
      expect(() => validateParams(method, given), method).not.toThrow();
      expect(() => validateResult(method as MethodName, result), method).not.toThrow();
      if (method !== 'registerWorker') expect(deadlineMs, method).toBeGreaterThan(0);
    }
  });

  test('there is one for every call that a worker gets', () => {
    const methods = document.calls.get('registerWorker')?.params['methods'];
    const [required = [], optional = []] = [
      ...document.text.matchAll(/^\| (`appendEvents`[^|]*) \| ([^|]*) \|$/gm),
    ]
      .flatMap(([, ...cells]) => cells)
      .map((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name));
    expect(sorted([...document.calls.keys()])).toEqual(sorted([...required, ...optional, 'registerWorker']));
    expect(optional).toEqual(expect.arrayContaining(methods as string[]));
    expect(sorted(required)).toEqual(sorted(REQUIRED_METHODS));
  });

  test('data types', () => {
    const recorded = document.shape('Recorded event') as { timestamp: string; epochUs: number };
    const stream = { storeId: 'orders', streamId: 'order-1' };
    validateParams('appendEvents', { ...stream, events: [document.shape('Event')] });
    validateResult('getEvents', { events: [recorded], version: 0 });
    validateResult('appendEvents', document.shape('Append result'));
    validateResult('readSnapshot', document.shape('Snapshot'));
    validateResult('getSubscriptions', { subscriptions: [document.shape('Subscription')] });
    expect(Date.parse(recorded.timestamp) * 1_000).toBe(recorded.epochUs);
  });

  test('notifications', () => {
    const notifications = document.examples.filter(({ value }) => 'method' in value && !('id' in value));
    expect(notifications.map(({ value }) => value['method'])).toEqual([
      'hello',
      'message',
      'event',
      'committed',
    ]);
    for (const { value } of notifications) {
      const schema = NOTIFICATIONS[value['method'] as keyof typeof NOTIFICATIONS];
      expect(compileCheck(schema)(value['params']), String(value['method'])).toBe(true);
    }
  });

  test('errors', () => {
    const errors = document.examples.filter(({ value }) => 'error' in value);
    expect(errors.length).toBeGreaterThanOrEqual(4);
    for (const { value } of errors) {
      const { code, message, data } = value['error'] as {
        code: number;
        message: string;
        data: { code: ErrorCode; retriable: boolean };
      };
      expect(message).not.toBe('');
      expect(data.retriable, data.code).toBe(ERROR_CODES[data.code].retriable);
      expect(code, data.code).toBe(rpcCode(data.code));
    }
  });
});
