// A number that a double does not hold exactly is refused at every entry point, and only such a number.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './support/in-process.ts';
import { type RawClient, type RpcAnswer, rawConnect } from './support/raw-client.ts';

const INTEGER = '9007199254740993';
const RAW = {
  stream: { storeId: 'default', streamId: 'n' },
  ids: '"sourceUuid":"a","streamUuid":"b"',
} as const;

let gateway: TestGateway;
let client: RawClient;
beforeAll(async () => {
  gateway = await startTestGateway({ stores: '{"default":{"engine":"memory"}}' });
  client = await rawConnect(gateway.url);
});
afterAll(async () => {
  await client.close();
  await gateway.close();
});

/** Sends texts as they are: `JSON.stringify` could not write these numbers. */
async function sendRaw(text: string): Promise<RpcAnswer | RpcAnswer[]> {
  const before = client.texts.length;
  client.send(text);
  await client.until(() => client.texts.length > before);
  return JSON.parse(client.texts.at(-1) ?? '') as RpcAnswer | RpcAnswer[];
}

const request = (method: string, params: string, id = '1'): string =>
  `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${params}}`;

const append = (event: string): string => `{"storeId":"default","streamId":"n","events":[${event}]}`;

const REFUSED: readonly [method: string, params: string, path: string][] = [
  ['appendEvents', append(`{"type":"t","data":${INTEGER}}`), 'events[0].data'],
  [
    'appendEvents',
    append(`{"type":"t","data":1},{"type":"t","data":{"a":[0,-${INTEGER}]}}`),
    'events[1].data.a[1]',
  ],
  ['appendEvents', append(`{"type":"t","data":1,"metadata":{"n":1e999}}`), 'events[0].metadata.n'],
  [
    'appendEvents',
    append(`{"metadata":{"n":12345678901234567890},"data":1,"type":"t"}`),
    'events[0].metadata.n',
  ],
  ['publish', `{"channel":"system","topic":"a","message":{"n":-1e400}}`, 'message.n'],
  ['publish', `{"message":${INTEGER},"channel":"system","topic":"a"}`, 'message'],
  ['recordSnapshot', `{"storeId":"default",${RAW.ids},"version":0,"record":[${INTEGER}]}`, 'record[0]'],
  [
    'recordSnapshot',
    `{"storeId":"default",${RAW.ids},"version":0,"record":1,"metadata":{"n":${INTEGER}}}`,
    'metadata.n',
  ],
];

describe('over WebSocket', () => {
  test.each(REFUSED)('%s of %s is refused with its path [R17]', async (method, params, path) => {
    const { error } = (await sendRaw(request(method, params))) as RpcAnswer;
    expect(error).toMatchObject({ code: -32602, data: { code: 'invalid_argument', reason: 'number', path } });
  });

  test('a batch has the path of each call, and the calls without such a number run [R17]', async () => {
    const calls = [
      request('appendEvents', append('{"type":"t","data":1}'), '1'),
      request('appendEvents', append(`{"type":"t","data":{"x":${INTEGER}}}`), '2'),
      request('publish', `{"channel":"system","topic":"a","message":[0,${INTEGER}]}`, '3'),
    ];
    expect(await sendRaw(`[${calls.join(',')}]`)).toMatchObject([
      { id: 1, result: { count: 1 } },
      { id: 2, error: { data: { reason: 'number', path: 'events[0].data.x' } } },
      { id: 3, error: { data: { reason: 'number', path: 'message[1]' } } },
    ]);
  });

  test('other members keep their own checks [R17]', async () => {
    const params = `{"storeId":"default","streamId":"n","expectedVersion":${INTEGER},"events":[{"type":"t","data":1}]}`;
    const { error } = (await sendRaw(request('appendEvents', params))) as RpcAnswer;
    expect(error?.data).toMatchObject({ code: 'invalid_argument', reason: 'expected_version' });
  });

  test('numbers that a double holds, and all fractions, are returned unchanged [R17]', async () => {
    const numbers = '[9007199254740992,1e21,1.5e308,0.1,123456789012345680000,"9007199254740993"]';
    const event = `{"type":"t","data":${numbers}}`;
    const params = append(event).replace('"n"', '"fine"');
    expect(await sendRaw(request('appendEvents', params))).toMatchObject({ result: { count: 1 } });
    const { result } = await client.call('getEvents', { ...RAW.stream, streamId: 'fine' });
    expect(result).toMatchObject({ events: [{ data: JSON.parse(numbers) }] });
  });
});

describe('over HTTP', () => {
  const JSON_TYPE = 'application/json';
  const EVENTS = '/v1/stores/default/streams/n/events';
  const CLOUD_EVENT = '"specversion":"1.0","id":"1","source":"s","type":"t"';

  test.each([
    ['POST', EVENTS, JSON_TYPE, `{"events":[{"type":"t","data":{"a":${INTEGER}}}]}`, 'events[0].data.a'],
    ['POST', EVENTS, 'application/cloudevents+json', `{${CLOUD_EVENT},"data":{"a":${INTEGER}}}`, 'data.a'],
    ['POST', EVENTS, 'application/cloudevents+json', `{${CLOUD_EVENT},"ext":${INTEGER}}`, 'ext'],
    ['POST', EVENTS, 'application/cloudevents-batch+json', `[{${CLOUD_EVENT},"data":1e999}]`, '[0].data'],
    ['POST', '/v1/channels/system/messages', JSON_TYPE, `{"topic":"a","message":{"a":1e999}}`, 'message.a'],
    ['PUT', '/v1/stores/default/snapshots/a/b/0', JSON_TYPE, `{"record":{"a":${INTEGER}}}`, 'record.a'],
  ])('%s %s as %s of %s is refused with its path [R17]', async (method, path, type, body, member) => {
    const headers = { 'content-type': type };
    const response = await fetch(gateway.http + path, { method, headers, body });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ code: 'invalid_argument', reason: 'number', path: member });
  });

  test('a CloudEvent in binary mode is refused with its path [R17]', async () => {
    const headers = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': 's', 'ce-type': 't' };
    const response = await fetch(gateway.http + EVENTS, {
      method: 'POST',
      headers: { ...headers, 'content-type': JSON_TYPE },
      body: `{"a":[${INTEGER}]}`,
    });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ reason: 'number', path: 'data.a[0]' });
  });
});

test('an answer of a worker with such a number is refused, other answers are not [R17]', async () => {
  const worker = await rawConnect(gateway.url);
  const event = {
    id: '018f5e2c-0000-7000-8000-000000000001',
    type: 't',
    storeId: 'far',
    streamId: 's',
    version: 0,
    position: 1,
    metadata: {},
    tags: [],
    timestamp: '2026-01-31T12:00:00.000Z',
    epochUs: 1_769_860_800_000_000,
  };
  let number = INTEGER;
  worker.socket.on('message', (data: Buffer) => {
    const { id, method } = JSON.parse(data.toString()) as { id?: number; method: string };
    if (id === undefined) return;
    const page = `{"events":[${JSON.stringify({ ...event, data: 'N' }).replace('"N"', number)}],"version":0}`;
    const result = method === 'getEvents' ? page : '{"events":[],"lastPosition":0}';
    worker.socket.send(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`);
  });
  await worker.call('registerWorker', { storeId: 'far' });
  const read = () => client.call('getEvents', { storeId: 'far', streamId: 's' });
  expect((await read()).error?.data).toMatchObject({
    code: 'invalid_argument',
    reason: 'number',
    path: 'events[0].data',
  });
  number = '9007199254740992';
  expect((await read()).result).toMatchObject({ events: [{ data: 9_007_199_254_740_992 }] });
  await worker.close();
});
