// A worker that is written only from the examples of PROTOCOL.md serves a store behind a real gateway.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/in-process.ts';
import { type CallExample, readProtocolDocument } from '../support/protocol-document.ts';
import { type RawClient, type RpcRequest, rawConnect } from '../support/raw-client.ts';

type Json = Record<string, unknown>;

/** Methods that only workers with more than the simplest store serve. */
const NAMED = ['queryEvents', 'appendToStreams', 'versionAt', 'verifyStream'];

const document = readProtocolDocument();
const registration = exampleOf('registerWorker').params;
const storeId = String(registration['storeId']);

function exampleOf(method: string): CallExample {
  const example = document.calls.get(method);
  if (example === undefined) throw new Error(`PROTOCOL.md must have an example of ${method}`);
  return example;
}

/**
 * Creates a value with the members of `example`, and the values of `given` where it has them. Only a last page has no
 * `next`.
 */
function shaped(example: Json, given: Json): Json {
  const members = Object.keys(example).filter((name) => name !== 'next' || name in given);
  return Object.fromEntries(members.map((name) => [name, given[name] ?? example[name]]));
}

/** Stores events and snapshots in arrays. Every answer is an example of the document with other values in it. */
function createDocumentedWorker() {
  const events: Json[] = [];
  let snapshots: Json[] = [];
  const asked: RpcRequest[] = [];
  const inStream = ({ streamId }: Json) => events.filter((event) => event['streamId'] === streamId);
  const answers: Record<string, (params: Json) => Json> = {
    appendEvents(params) {
      const version = inStream(params).length - 1;
      const { expectedVersion = -2 } = params as { expectedVersion?: number };
      if (expectedVersion !== -2 && expectedVersion !== version) {
        return errorLike('wrong_expected_version', {
          streamId: params['streamId'],
          expected: expectedVersion,
          actual: version,
        });
      }
      for (const event of params['events'] as Json[]) {
        const place = { version: inStream(params).length, position: events.length + 1 };
        const recorded = {
          metadata: {},
          tags: [],
          ...event,
          ...place,
          storeId,
          streamId: params['streamId'],
        };
        events.push(shaped(document.shape('Recorded event'), recorded));
      }
      return {
        version: inStream(params).length - 1,
        position: events.length,
        count: (params['events'] as []).length,
      };
    },
    getEvents(params) {
      const all = inStream(params);
      if (all.length === 0) return errorLike('stream_not_found', { streamId: params['streamId'] });
      const { count = 100, direction } = params as { count?: number; direction?: string };
      const page = direction === 'backward' ? all.toReversed() : all;
      return { events: page.slice(0, count), version: all.length - 1 };
    },
    getVersion: (params) => ({ version: inStream(params).length - 1 }),
    streamExists: (params) => ({ exists: inStream(params).length > 0 }),
    getStreams: () => ({ streams: [...new Set(events.map((event) => event['streamId']))].sort() }),
    readAll({ after = 0, limit = 100 }) {
      const page = events.slice(Number(after), Number(after) + Number(limit));
      const end = Number(after) + page.length;
      return end < events.length
        ? { events: page, lastPosition: end, next: end }
        : { events: page, lastPosition: events.length };
    },
    quickHealthCheck: () => ({}),
    deleteStream: (params) => ({ version: inStream(params).length - 1 }),
    recordSnapshot(params) {
      snapshots = [shaped(document.shape('Snapshot'), params), ...snapshots];
      return {};
    },
    readSnapshot: () => snapshots[0] ?? {},
    listSnapshots: () => ({ snapshots }),
    deleteSnapshot: () => ({ deleted: snapshots.length > 0 }),
  };
  return {
    asked,
    serve(request: RpcRequest): Json {
      asked.push(request);
      const outcome = answers[request.method]?.(request.params) ?? errorLike('not_supported', {});
      if ('error' in outcome) return outcome;
      return shaped(exampleOf(request.method).result as Json, outcome);
    },
  };
}

/** The error of the document with this code, with other details. */
function errorLike(code: string, details: Json): Json {
  const found = document.examples.find(
    ({ value }) => (value['error'] as { data?: Json } | undefined)?.data?.['code'] === code,
  );
  if (found === undefined) throw new Error(`PROTOCOL.md must have an example of the error ${code}`);
  const error = found.value['error'] as Json;
  return { error: { ...error, data: { ...(error['data'] as Json), ...details } } };
}

let gateway: TestGateway;
let worker: RawClient;
let client: RawClient;
const documented = createDocumentedWorker();

beforeAll(async () => {
  gateway = await startTestGateway({ stores: '{}' });
  worker = await rawConnect(gateway.url);
  worker.serve(documented.serve);
  client = await rawConnect(gateway.url);
});
afterAll(async () => {
  await client.close();
  await worker.close();
  await gateway.close();
});

/** Calls the gateway with the parameters of the document's example. */
async function call(method: string, changes: Json = {}): Promise<unknown> {
  const { deadlineMs: _, ...params } = exampleOf(method).params;
  const { result, error } = await client.call(method, { ...params, ...changes });
  if (error !== undefined) throw new Error(`${method} must be answered, got ${JSON.stringify(error)}`);
  return result;
}

test('it registers', async () => {
  const { result } = await worker.call('registerWorker', registration);
  expect(Object.keys(result as Json)).toEqual(Object.keys(exampleOf('registerWorker').result as Json));
});

test('append, read and list return results as in the document', async () => {
  const first = exampleOf('getEvents').result as { events: Json[] };
  expect(await call('appendEvents')).toEqual(exampleOf('appendEvents').result);
  expect(await call('getEvents')).toMatchObject({ events: first.events, version: 1 });
  expect(await call('getVersion')).toEqual(exampleOf('getVersion').result);
  expect(await call('streamExists')).toEqual(exampleOf('streamExists').result);
  expect(await call('getStreams')).toEqual(exampleOf('getStreams').result);
  expect(await call('readAll')).toMatchObject({ events: first.events });
  const { result } = await client.call('streamBackward', { storeId, streamId: 'order-1' });
  expect(result).toMatchObject({ events: [{ version: 1 }, { version: 0 }] });
});

test('snapshot calls return results as in the document', async () => {
  for (const method of ['recordSnapshot', 'readSnapshot', 'listSnapshots', 'deleteSnapshot']) {
    expect(await call(method), method).toEqual(exampleOf(method).result);
  }
});

test('its errors reach the client as the document shows them', async () => {
  const { deadlineMs: _, ...append } = exampleOf('appendEvents').params;
  expect((await client.call('appendEvents', append)).error?.data).toEqual({
    code: 'wrong_expected_version',
    retriable: false,
    streamId: 'order-1',
    expected: -1,
    actual: 1,
  });
  const missing = { storeId, streamId: 'order-9' };
  expect((await client.call('getEvents', missing)).error?.data.code).toBe('stream_not_found');
});

test('it is healthy, and its store too', async () => {
  expect(await call('quickHealthCheck')).toEqual(exampleOf('quickHealthCheck').result);
  const { result } = await client.call('health');
  expect(result).toMatchObject({ stores: { [storeId]: { status: 'healthy' } } });
});

test('its events reach the channel events, woken by the notification of the document', async () => {
  const committed = document.examples.find(({ value }) => value['method'] === 'committed');
  worker.send(committed?.value);
  await client.call('subscribe', { channel: 'events', topic: `${storeId}.>`, from: 'earliest' });
  const fed = () => client.notices.filter(({ method }) => method === 'message');
  await client.until(() => fed().length >= 2);
  expect(fed()[0]?.params['message']).toEqual((exampleOf('readAll').result as { events: Json[] }).events[0]);
});

test('the gateway made only calls that the document shows', async () => {
  await call('deleteStream');
  expect(documented.asked.length).toBeGreaterThan(10);
  for (const { method, params } of documented.asked) {
    const known = Object.keys(exampleOf(method).params);
    expect(known, method).toEqual(expect.arrayContaining(Object.keys(params)));
  }
  const shown = [...document.calls.keys()].filter(
    (method) => method !== 'registerWorker' && !NAMED.includes(method),
  );
  expect(new Set(documented.asked.map(({ method }) => method))).toEqual(new Set(shown));
});

test.each(NAMED)('%s comes as the document shows it, to a worker that names it', async (method) => {
  const { params, result } = exampleOf(method);
  const named = `named-${method}`;
  const other = await rawConnect(gateway.url);
  const asked: RpcRequest[] = [];
  other.serve((request) => {
    asked.push(request);
    return request.method === method ? result : { events: [], lastPosition: 0 };
  });
  await other.call('registerWorker', { storeId: named, methods: ['queryEvents', method] });
  const { deadlineMs: _, ...given } = params;
  // A `readAll` with a query comes as `queryEvents`.
  const calls = method === 'queryEvents' ? ['queryEvents', 'readAll'] : [method];
  for (const called of calls) {
    expect((await client.call(called, { ...given, storeId: named })).result).toEqual(result);
    const request = asked.findLast((one) => one.method === method);
    expect(Object.keys(request?.params ?? {}).sort()).toEqual(Object.keys(params).sort());
    asked.length = 0;
  }
  await other.close();
});
