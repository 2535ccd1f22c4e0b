import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './support/in-process.ts';
import { rawConnect } from './support/raw-client.ts';

let gateway: TestGateway;
beforeAll(async () => {
  // So low a rate that the burst passes it however slow the machine is.
  gateway = await startTestGateway({ 'limits-frame-bytes': '65536', 'channels-diagnostics-max-rate': '10' });
});
afterAll(() => gateway.close());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

async function http(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const raw = typeof body === 'string' || body === undefined;
  const response = await fetch(gateway.http + path, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: raw ? (body as string) : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = response.headers.get('content-type')?.includes('json') === true;
  return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
}

const events = (stream: string) => `/v1/stores/default/streams/${encodeURIComponent(stream)}/events`;

describe('streams', () => {
  test('an append that writes is 201, the same again 200, and it is read both ways', async () => {
    const id = '018f5e2c-0000-7000-8000-000000000001';
    const body = { events: [{ id, type: 't', data: { n: 1 } }], expectedVersion: -1 };
    expect(await http('POST', events('a'), body)).toMatchObject({
      status: 201,
      body: { version: 0, duplicate: false },
    });
    expect(await http('POST', events('a'), body)).toMatchObject({
      status: 200,
      body: { version: 0, duplicate: true },
    });
    await http('POST', events('a'), { events: [{ type: 't', data: { n: 2 } }] });
    const backward = await http('GET', `${events('a')}?from=-1&count=1&direction=backward`);
    expect(backward).toMatchObject({
      status: 200,
      body: { events: [{ data: { n: 2 } }], version: 1, next: 0 },
    });
    expect(await http('GET', '/v1/stores/default/streams/a')).toMatchObject({
      status: 200,
      body: { version: 1, exists: true },
    });
  });

  test('names of any characters are percent-encoded UTF-8', async () => {
    for (const name of ['a/b', 'ü ñ 漢', '50%', 'a?b#c', '__proto__', '漢'.repeat(255)]) {
      expect(await http('POST', events(name), { events: [{ type: 't', data: name }] })).toMatchObject({
        status: 201,
      });
      expect(await http('GET', events(name))).toMatchObject({
        body: { events: [{ streamId: name, data: name }] },
      });
    }
    const listed = await http('GET', '/v1/stores/default/streams?prefix=a/&limit=10');
    expect(listed.body).toEqual({ streams: ['a/b'] });
  });

  test('a delete is answered with the last version, and reads with 404', async () => {
    await http('POST', events('gone'), { events: [{ type: 't', data: 1 }] });
    expect(await http('DELETE', '/v1/stores/default/streams/gone?expectedVersion=0')).toMatchObject({
      status: 200,
      body: { version: 0 },
    });
    expect(await http('GET', events('gone'))).toMatchObject({
      status: 404,
      body: { code: 'stream_deleted' },
    });
  });

  test('the whole store is read in pages', async () => {
    const page = (await http('GET', '/v1/stores/default/events?limit=2')).body as {
      events: unknown[];
      next: number;
    };
    expect(page.events).toHaveLength(2);
    expect((await http('GET', `/v1/stores/default/events?limit=1&after=${page.next}`)).body).toMatchObject({
      events: [{ position: 3 }],
    });
  });
});

describe('CloudEvents', () => {
  const cloudEvent = {
    specversion: '1.0',
    id: 'x-1',
    source: '/shop',
    type: 'ordered',
    region: 'eu',
    data: { n: 1 },
  };

  test('one, a batch and binary mode become events', async () => {
    const type = (name: string) => ({ 'content-type': `application/cloudevents${name}+json` });
    expect(await http('POST', `${events('ce')}?expectedVersion=-1`, cloudEvent, type(''))).toMatchObject({
      status: 201,
    });
    const batch = [
      { ...cloudEvent, id: 'x-2' },
      { ...cloudEvent, id: 'x-3' },
    ];
    expect(await http('POST', events('ce'), batch, type('-batch'))).toMatchObject({
      status: 201,
      body: { count: 2 },
    });
    const binary = {
      'ce-specversion': '1.0',
      'ce-id': 'x-4',
      'ce-source': '/shop',
      'ce-type': 'ordered',
      'ce-subject': '%C3%BC',
    };
    expect(await http('POST', events('ce'), { n: 4 }, binary)).toMatchObject({ status: 201 });
    const read = (await http('GET', events('ce'))).body as {
      events: { type: string; metadata: unknown; data: unknown }[];
    };
    expect(read.events.map(({ type: name }) => name)).toEqual(['ordered', 'ordered', 'ordered', 'ordered']);
    expect(read.events[0]).toMatchObject({
      data: { n: 1 },
      metadata: { cloudevent: { source: '/shop', region: 'eu' } },
    });
    expect(read.events[3]).toMatchObject({ data: { n: 4 }, metadata: { cloudevent: { subject: 'ü' } } });
    expect(await http('POST', events('ce'), cloudEvent, type(''))).toMatchObject({
      status: 200,
      body: { duplicate: true },
    });
  });

  test('a CloudEvent with data_base64 is an event with bytes, and a repeat of it a duplicate', async () => {
    const headers = { 'content-type': 'application/cloudevents+json' };
    const { data: _, ...attributes } = cloudEvent as { data: unknown };
    const image = { ...attributes, id: 'img', datacontenttype: 'image/png', data_base64: 'iVBORw==' };
    expect(await http('POST', events('img'), image, headers)).toMatchObject({ status: 201 });
    expect(await http('POST', events('img'), image, headers)).toMatchObject({ status: 200 });
    const { body } = await http('GET', events('img'));
    const [event] = (body as { events: object[] }).events;
    expect(event).toMatchObject({ dataBase64: 'iVBORw==', contentType: 'image/png' });
    expect(event).not.toHaveProperty('data');
  });

  test('a body that is not a CloudEvent is refused', async () => {
    const headers = { 'content-type': 'application/cloudevents+json' };
    for (const broken of [
      {},
      { ...cloudEvent, specversion: '0.3' },
      { ...cloudEvent, data_base64: 'AA==' },
      { ...cloudEvent, data: undefined, data_base64: 'AA' },
      [],
      null,
    ]) {
      expect(await http('POST', events('ce'), broken, headers)).toMatchObject({
        status: 422,
        body: { code: 'invalid_argument' },
      });
    }
  });
});

describe('snapshots', () => {
  const one = '/v1/stores/default/snapshots/source/stream';
  test('they are written, read, listed and deleted', async () => {
    expect(await http('GET', `${one}/latest`)).toMatchObject({
      status: 404,
      body: { code: 'snapshot_not_found' },
    });
    expect(await http('PUT', `${one}/3`, { record: { total: 7 } })).toMatchObject({ status: 200, body: {} });
    await http('PUT', `${one}/5`, { record: { total: 9 }, metadata: { by: 'test' } });
    expect((await http('GET', `${one}/latest`)).body).toMatchObject({
      version: 5,
      record: { total: 9 },
      metadata: { by: 'test' },
    });
    expect((await http('GET', `${one}/3`)).body).toMatchObject({ record: { total: 7 } });
    expect((await http('GET', one)).body).toMatchObject({ snapshots: [{ version: 5 }, { version: 3 }] });
    // Page by page, as events are [R18].
    const first = (await http('GET', `${one}?count=1`)).body;
    expect(first).toMatchObject({ snapshots: [{ version: 5 }], next: 3 });
    expect((await http('GET', `${one}?from=3&count=1`)).body).toMatchObject({ snapshots: [{ version: 3 }] });
    expect((await http('GET', `${one}?from=-2`)).status).toBe(422);
    expect(await http('DELETE', `${one}/3`)).toMatchObject({ status: 200, body: { deleted: true } });
    expect(await http('GET', `${one}/three`)).toMatchObject({ status: 422 });
  });
});

describe('channels', () => {
  test('a publish is 202, too many are 429 with Retry-After', async () => {
    const publish = () => http('POST', '/v1/channels/diagnostics/messages', { topic: 'a.b', message: 1 });
    expect(await publish()).toMatchObject({ status: 202, body: { delivered: false } });
    const answers = await Promise.all(Array.from({ length: 110 }, publish));
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.headers.get('retry-after')).toBe('1');
    expect(refused?.body).toMatchObject({ type: 'urn:esdb-gater:error:rate_limited', code: 'rate_limited' });
  });

  test('channels are listed with their rules', async () => {
    const { body } = await http('GET', '/v1/channels');
    expect((body as { channels: unknown[] }).channels).toHaveLength(10);
  });

  test('an unknown channel is 404, an unsigned alert 403', async () => {
    const message = { topic: 'a', message: {} };
    expect(await http('POST', '/v1/channels/nonsense/messages', message)).toMatchObject({
      status: 404,
      body: { code: 'unknown_channel' },
    });
    expect(await http('POST', '/v1/channels/alerts/messages', message)).toMatchObject({
      status: 403,
      body: { code: 'signature_required' },
    });
  });
});

describe('server-sent events', () => {
  /** Reads a stream until it has `count` events. */
  async function read(
    path: string,
    count: number,
    headers: Record<string, string> = {},
  ): Promise<Record<string, string>[]> {
    const stop = new AbortController();
    const response = await fetch(gateway.http + path, { headers, signal: stop.signal });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const found: Record<string, string>[] = [];
    let text = '';
    for await (const chunk of (response.body as ReadableStream<Uint8Array>).pipeThrough(
      new TextDecoderStream(),
    )) {
      text += chunk;
      const parts = text.split('\n\n');
      text = parts.pop() ?? '';
      for (const part of parts) {
        if (part.startsWith(':')) continue;
        found.push(
          Object.fromEntries(part.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string])),
        );
      }
      if (found.length >= count) break;
    }
    stop.abort();
    return found.slice(0, count);
  }
  const path = '/v1/channels/audit/messages';

  test('a stream replays, and resumes after the last id that was seen', async () => {
    for (let n = 0; n < 4; n++)
      await http('POST', path, { topic: 'sse.a', message: { n, text: 'two\nlines' } });
    const all = await read(`${path}?topic=sse.*&from=earliest`, 6);
    expect(all.map(({ event }) => event)).toEqual([
      'subscribed',
      'message',
      'message',
      'message',
      'message',
      'replayed',
    ]);
    expect(JSON.parse(all[2]?.['data'] ?? '')).toMatchObject({
      channel: 'audit',
      topic: 'sse.a',
      message: { n: 1 },
    });
    const rest = await read(`${path}?topic=sse.*&from=earliest`, 3, {
      'last-event-id': all[2]?.['id'] ?? '',
    });
    expect(
      rest.slice(1).map(({ data }) => (JSON.parse(data ?? '') as { message: { n: number } }).message.n),
    ).toEqual([2, 3]);
  });

  test('every stream begins with its position [R16]', async () => {
    const [earliest] = await read(`${path}?topic=sse.*&from=earliest`, 1);
    const position = earliest?.['id'] ?? '';
    for (const [from, headers] of [
      ['latest', {}],
      ['earliest', {}],
      [`position:${position}`, {}],
      ['time:2026-01-31T12:00:00Z', {}],
      ['latest', { 'last-event-id': position }],
    ] as const) {
      const [first] = await read(`${path}?topic=sse.*&from=${from}`, 1, headers);
      expect(first?.['event']).toBe('subscribed');
      expect(first?.['id']).toMatch(/^m/);
      expect(JSON.parse(first?.['data'] ?? '')).toEqual({
        channel: 'audit',
        topic: 'sse.*',
        position: first?.['id'],
        ...(from.startsWith('time:') ? { lost: true } : {}),
      });
    }
    const response = await fetch(`${gateway.http}${path}?topic=sse.*`);
    expect(response.headers.get('cache-control')).toBe('no-store, no-transform');
    await response.body?.cancel();
  });

  test('no message is lost that is published while a quiet stream is cut before its first message [R16] [F34]', async () => {
    const quiet = `${path}?topic=quiet.*`;
    const [subscribed] = await read(quiet, 1);
    for (const n of [1, 2]) await http('POST', path, { topic: 'quiet.a', message: n });
    const again = await read(quiet, 3, { 'last-event-id': subscribed?.['id'] ?? '' });
    const messages = again
      .slice(1)
      .map(({ data }) => (JSON.parse(data ?? '') as { message: number }).message);
    expect(messages).toEqual([1, 2]);
  });

  test('a wrong position is 422, a lost one 410, a missing topic 422', async () => {
    expect(await http('GET', `${path}?topic=a&from=position:nonsense`)).toMatchObject({ status: 422 });
    expect(await http('GET', `${path}?topic=a&from=yesterday`)).toMatchObject({
      status: 422,
      body: { reason: 'from' },
    });
    expect(await http('GET', path)).toMatchObject({ status: 422, body: { parameter: 'topic' } });
    const first = (await read(`${path}?topic=sse.*&from=earliest`, 1))[0]?.['id'] ?? '';
    const flood = await rawConnect(gateway.url);
    const publish = (n: number) =>
      flood.call('publish', { channel: 'audit', topic: 'sse.flood', message: n });
    await Promise.all(Array.from({ length: 1_010 }, (_, n) => publish(n)));
    await flood.close();
    const lost = await http('GET', `${path}?topic=a`, undefined, { 'last-event-id': first });
    expect(lost).toMatchObject({ status: 410, body: { reason: 'position_lost', status: 410 } });
  });
});

describe('refusals', () => {
  test('each wrong request gets its status as a problem', async () => {
    const table: [string, string, unknown, number, object][] = [
      ['POST', events('r'), '{', 400, { code: 'invalid_argument', reason: 'json' }],
      ['POST', events('r'), '', 400, {}],
      ['POST', events('r'), '[]', 422, { code: 'invalid_argument' }],
      ['POST', events('r'), { events: [], storeId: 'x' }, 422, { path: '/storeId' }],
      [
        'POST',
        events('r'),
        { events: [{ type: 't', data: 1 }], token: 'x' },
        422,
        { code: 'invalid_argument' },
      ],
      [
        'POST',
        events('r'),
        { events: [{ type: 't', data: 1 }], expectedVersion: 9 },
        409,
        { expected: 9, actual: -1 },
      ],
      [
        'POST',
        events('r'),
        `{"events":[{"type":"t","data":"${'x'.repeat(70_000)}"}]}`,
        413,
        { code: 'payload_too_large' },
      ],
      ['GET', events('nowhere'), undefined, 404, { code: 'stream_not_found' }],
      ['GET', '/v1/stores/nowhere/streams/a/events', undefined, 404, { code: 'store_not_found' }],
      ['GET', '/v1/stores/a%20b/streams/a/events', undefined, 422, { code: 'invalid_argument' }],
      ['GET', `${events('r')}?count=0`, undefined, 422, { code: 'invalid_argument' }],
      ['GET', `${events('r')}?cuont=1`, undefined, 422, { parameter: 'cuont' }],
      ['GET', '/v1/stores/default/events?types=', undefined, 422, { code: 'invalid_argument' }],
      [
        'POST',
        events('r'),
        { events: [{ type: 't', data: 1 }], condition: { failIfEventsMatch: { items: [{}] } } },
        422,
        { code: 'invalid_argument', reason: 'query' },
      ],
      ['GET', '/v1/stores/default/subscriptions/s', undefined, 404, { code: 'subscription_not_found' }],
      ['PUT', '/v1/stores/default/subscriptions/s', {}, 422, { code: 'invalid_argument' }],
      ['GET', '/nowhere', undefined, 404, { type: 'about:blank' }],
      ['GET', '/v1/stores/default/streams/%ff/events', undefined, 400, {}],
    ];
    for (const [method, path, body, status, members] of table) {
      const answer = await http(method, path, body);
      expect({ path, status: answer.status }).toEqual({ path, status });
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(answer.body).toMatchObject({ status, ...members });
    }
  });

  test('a method that a path does not have is 405 with Allow', async () => {
    const answer = await http('PATCH', events('r'), {});
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('POST, GET, HEAD');
  });

  test('a body without the content type of JSON is 415, so that forms of other sites are refused', async () => {
    const body = '{"events":[{"type":"t","data":1}]}';
    expect(await http('POST', events('r'), body, { 'content-type': 'text/plain' })).toMatchObject({
      status: 415,
    });
  });

  test('headers over 32 KiB are refused [T14]', async () => {
    expect((await http('GET', '/livez', undefined, { 'x-long': 'x'.repeat(33_000) })).status).toBe(431);
  });
});

describe('operations', () => {
  test('liveness, readiness, health and metrics report the state', async () => {
    expect(await http('GET', '/livez')).toMatchObject({ status: 200 });
    expect(await http('GET', '/readyz')).toMatchObject({
      status: 200,
      body: { status: 'ready', dependencies: { 'store:default': 'ok', broker: 'ok', gateway: 'ok' } },
    });
    expect(await http('GET', '/health')).toMatchObject({ status: 200, body: { status: 'healthy' } });
    const { body } = await http('GET', '/metrics');
    for (const line of [
      'esdb_gater_workers{store_id="default",state="live"} 1',
      'esdb_gater_requests_total{store_id="default",request_type="appendEvents",result="ok"}',
      'esdb_gater_channel_subscribers{channel="events"} 0',
      'esdb_gater_event_loop_delay_seconds{statistic="p99"}',
    ]) {
      expect(body).toContain(line);
    }
    expect(body).not.toContain('stream=');
  });

  test('the page at / is static, and its policy blocks all scripts but the files of the gateway [T22]', async () => {
    const { headers, body } = await http('GET', '/');
    const policy = headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'; script-src 'self';");
    expect(policy).not.toContain('unsafe');
    expect(body).not.toMatch(/<script(?![^>]*\ssrc="\.\/assets\/)/);
  });
});

describe('foreign pages', () => {
  const origins = ['https://evil.example', 'null', 'http://127.0.0.1:1', 'http://127.0.0.1.evil.example'];

  test('requests and upgrades from evil, null, a suffix trick or another port are 403 [T8]', async () => {
    for (const origin of origins) {
      expect(await http('GET', '/v1/channels', undefined, { origin })).toMatchObject({ status: 403 });
      await expect(rawConnect(gateway.url, { headers: { origin } })).rejects.toThrow('403');
    }
  });

  test('a host name that an attacker resolves to this machine is 403 [T8]', async () => {
    const status = (host: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const request = httpRequest(`${gateway.http}/v1/channels`, { headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        request.on('error', reject).end();
      });
    expect(await status('evil.example')).toBe(403);
    expect(await status(`localhost:${gateway.port}`)).toBe(200);
    await expect(rawConnect(gateway.url, { headers: { host: 'evil.example' } })).rejects.toThrow('403');
  });

  test("the gateway's own pages may connect and read", async () => {
    const origin = `http://localhost:${gateway.port}`;
    const client = await rawConnect(gateway.url, { headers: { origin } });
    await client.close();
    const answer = await http('GET', '/v1/channels', undefined, { origin });
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
  });
});

describe('upgrades', () => {
  /** Returns the answer to raw bytes, and checks that the gateway still serves. */
  async function raw(text: string): Promise<string> {
    const socket = connect(gateway.port, '127.0.0.1');
    await once(socket, 'connect');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (answer.includes('\r\n')) socket.end();
    });
    socket.on('error', () => undefined);
    socket.write(text);
    await once(socket, 'close');
    return answer.split('\r\n', 1)[0] ?? '';
  }
  const upgrade = (headers: string, path = '/v1/ws') =>
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n${headers}\r\n\r\n`;
  const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';

  test('a malformed upgrade is refused and the gateway still serves [T14]', async () => {
    expect(await raw(upgrade(KEY))).toContain(' 101 ');
    expect(await raw(upgrade(KEY, '/v1/elsewhere'))).toContain(' 404 ');
    expect(await raw(upgrade(''))).toContain(' 400 ');
    expect(await raw(upgrade('Sec-WebSocket-Key: short'))).toContain(' 400 ');
    expect(await raw(upgrade(`${KEY}\r\nSec-WebSocket-Protocol: other`))).toContain(' 400 ');
    expect(await raw(upgrade(`${KEY}\r\nSec-WebSocket-Protocol: ${'x'.repeat(40_000)}`))).toContain(' 431 ');
    expect(await raw(upgrade(`${KEY}\r\nSec-WebSocket-Protocol: esdb-gater.v1,,@`))).toContain(' 400 ');
    expect(
      await raw(upgrade(`${KEY}\r\n${Array.from({ length: 2_000 }, (_, n) => `X-${n}: y`).join('\r\n')}`)),
    ).toMatch(/ (101|431) /);
    expect(await raw(`GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\r\n`)).toMatch(
      / 4\d\d /,
    );
    expect(await raw(`GET /v1/ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`)).toContain(
      ' 400 ',
    );
    expect(await raw('\0\x01\x02nonsense\r\n\r\n')).toContain(' 400 ');
    expect((await http('GET', '/livez')).status).toBe(200);
  });

  test('the subprotocol is taken when it is offered among others', async () => {
    const client = await rawConnect(gateway.url, { protocols: ['other', 'esdb-gater.v1'] });
    expect(client.socket.protocol).toBe('esdb-gater.v1');
    await client.close();
  });
});
