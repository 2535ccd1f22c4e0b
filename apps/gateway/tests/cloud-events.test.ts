import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { RecordedEvent } from '@esdb-gater/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './support/in-process.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.close());

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const pathOf = (stream: string) => `/v1/stores/default/streams/${stream}/events`;

/** Sends a request byte by byte as a sender of another make would: no client of ours corrects it. */
async function post(stream: string, headers: readonly string[], body: string = ''): Promise<Answer> {
  const { hostname, port } = new URL(gateway.http);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const length = body === '' ? [] : [`content-length: ${Buffer.byteLength(body)}`];
  const head = [`POST ${pathOf(stream)} HTTP/1.1`, `host: ${hostname}:${port}`, 'connection: close'];
  socket.write(`${[...head, ...length, ...headers].join('\r\n')}\r\n\r\n${body}`);
  const answer = await text(socket);
  return {
    status: Number(answer.split(' ')[1]),
    body: JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as Record<string, unknown>,
  };
}

async function read(stream: string): Promise<readonly RecordedEvent[]> {
  const response = await fetch(gateway.http + pathOf(stream));
  return ((await response.json()) as { events: RecordedEvent[] }).events;
}

const binary = (id: string, ...more: string[]) => [
  'ce-specversion: 1.0',
  `ce-id: ${id}`,
  'ce-source: /shop',
  'ce-type: ordered',
  ...more,
];
const JSON_TYPE = 'content-type: application/json';

describe('CloudEvents in binary mode', () => {
  test('without a body and a content type have data null [R30]', async () => {
    expect(await post('no-body', binary('a'))).toMatchObject({ status: 201 });
    expect(await post('no-body', binary('b', JSON_TYPE, 'content-length: 0'))).toMatchObject({ status: 201 });
    expect((await read('no-body')).map(({ data }) => data)).toEqual([null, null]);
  });

  test('with a body take any JSON type, or none [R30]', async () => {
    const types = ['application/vnd.shop.order+json; charset=utf-8', 'APPLICATION/PROBLEM+JSON', undefined];
    for (const [index, type] of types.entries()) {
      const header = type === undefined ? [] : [`content-type: ${type}`];
      expect(await post('types', binary(`t-${index}`, ...header), '{"n":1}')).toMatchObject({ status: 201 });
    }
    const stored = await read('types');
    expect(stored.map(({ data }) => data)).toEqual([{ n: 1 }, { n: 1 }, { n: 1 }]);
    expect(stored[0]?.metadata).toMatchObject({
      cloudevent: { datacontenttype: 'application/vnd.shop.order+json' },
    });
    for (const type of [
      'text/plain',
      'application/xml',
      'application/json-seq',
      'application/cloudevents+xml',
    ]) {
      expect(await post('types', binary('x', `content-type: ${type}`), '{"n":1}')).toMatchObject({
        status: 415,
      });
    }
    expect(await post('types', binary('x'), 'not JSON')).toMatchObject({ status: 400 });
  });

  test('have quoted header values unescaped, then percent-encoding decoded [R30]', async () => {
    const headers = binary(
      'q',
      'ce-subject: "a \\"b\\" \\\\ %22c%22"',
      'ce-plain: say%20"hi"',
      'ce-half: "open',
    );
    expect(await post('quoted', headers)).toMatchObject({ status: 201 });
    expect((await read('quoted'))[0]?.metadata).toMatchObject({
      cloudevent: { subject: 'a "b" \\ "c"', plain: 'say "hi"', half: '"open' },
    });
  });

  test('have raw UTF-8 in headers decoded, and refuse invalid UTF-8 [R30]', async () => {
    expect(await post('raw', binary('r', 'ce-subject: Zürich %E2%82%AC 東京'))).toMatchObject({
      status: 201,
    });
    expect((await read('raw'))[0]?.metadata).toMatchObject({ cloudevent: { subject: 'Zürich € 東京' } });
    for (const value of ['%C3%28', '%C0%A0', '%ZZ', '100%', '"\\%E2"']) {
      expect(await post('raw', binary('s', `ce-subject: ${value}`))).toMatchObject({
        status: 422,
        body: {
          code: 'invalid_argument',
          reason: 'cloud_event',
          detail: expect.stringContaining('ce-subject'),
        },
      });
    }
  });

  test('refuse data in a header, an empty subject and an attribute given twice [R30]', async () => {
    const refused = [
      ['ce-data: 1'],
      ['ce-data_base64: AA=='],
      ['ce-subject: '],
      ['ce-subject: ""'],
      ['ce-id: again'],
      ['ce-Not_A_Name: x'],
    ];
    for (const headers of refused) {
      expect(await post('refused', binary('x', ...headers))).toMatchObject({
        status: 422,
        body: { reason: 'cloud_event' },
      });
    }
    expect((await fetch(gateway.http + pathOf('refused'))).status).toBe(404);
  });

  test('sent again with another traceparent are a repeat, with other data a conflict [R30]', async () => {
    const first = binary(
      'again',
      JSON_TYPE,
      'ce-traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    );
    expect(await post('again', first, '{"n":1}')).toMatchObject({ status: 201 });
    for (const extension of [
      'ce-traceparent: 00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01',
      'ce-x: 1',
    ]) {
      expect(await post('again', binary('again', JSON_TYPE, extension), '{"n":1}')).toMatchObject({
        status: 200,
        body: { version: 0, duplicate: true },
      });
    }
    const structured = { specversion: '1.0', id: 'again', source: '/shop', type: 'ordered', data: { n: 1 } };
    const type = 'content-type: application/cloudevents+json; charset=utf-8';
    expect(await post('again', [type], JSON.stringify(structured))).toMatchObject({ status: 200 });
    expect(await post('again', binary('again', JSON_TYPE), '{"n":2}')).toMatchObject({
      status: 422,
      body: { reason: 'id_conflict' },
    });
    expect(await read('again')).toHaveLength(1);
  });
});

describe('CloudEvents in structured mode', () => {
  test('treat a null attribute as absent, and name the invalid event of a batch [R30]', async () => {
    const event = {
      specversion: '1.0',
      id: 'n',
      source: '/s',
      type: 't',
      subject: null,
      region: null,
      data: 1,
    };
    const one = 'content-type: application/cloudevents+json';
    expect(await post('nulls', [one], JSON.stringify(event))).toMatchObject({ status: 201 });
    const cloudevent = { specversion: '1.0', source: '/s', id: 'n' };
    expect(await read('nulls')).toMatchObject([{ data: 1, metadata: { cloudevent } }]);
    expect((await read('nulls'))[0]?.metadata).toEqual({ cloudevent });
    const batch = 'content-type: application/cloudevents-batch+json';
    const wrong = [
      { ...event, id: 'a' },
      { ...event, id: 'b', subject: '' },
    ];
    expect(await post('nulls', [batch], JSON.stringify(wrong))).toMatchObject({
      status: 422,
      body: { reason: 'cloud_event', detail: expect.stringContaining('`[1].subject`') },
    });
    expect(await read('nulls')).toHaveLength(1);
  });
});
