import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './support/in-process.ts';
import { type RawClient, rawConnect } from './support/raw-client.ts';

let gateway: TestGateway;
let client: RawClient;

beforeAll(async () => {
  gateway = await startTestGateway({
    stores:
      '{"default":{"engine":"sqlite"},"sealed":{"engine":"sqlite","tamperEvident":true},"scratch":{"engine":"memory","tamperEvident":true}}',
  });
  client = await rawConnect(gateway.url);
  for (const [index, tags] of [['user:1'], ['user:2', 'vip'], ['user:1', 'vip']].entries()) {
    const events = [{ type: index === 1 ? 'renamed' : 'joined', data: index, tags }];
    await client.call('appendEvents', { storeId: 'default', streamId: `s${index}`, events });
  }
});

afterAll(async () => {
  await client.close();
  await gateway.close();
});

async function get(search: string) {
  const answer = await fetch(`${gateway.http}/v1/stores/default/events?${search}`);
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

const positions = (page: unknown) =>
  (page as { events: { position: number }[] }).events.map(({ position }) => position);

describe('queries', () => {
  test('queryEvents and readAll with a query give the events that match, with the position for a condition', async () => {
    const query = { items: [{ types: ['joined'], tags: ['user:1'] }, { types: ['renamed'] }] };
    const params = { storeId: 'default', query, limit: 2 };
    const page = (await client.call('queryEvents', params)).result;
    expect(positions(page)).toEqual([1, 2]);
    expect(page).toMatchObject({ lastPosition: 2, next: 2 });
    expect((await client.call('readAll', params)).result).toEqual(page);
    const rest = (await client.call('queryEvents', { ...params, after: 2 })).result;
    expect([positions(rest), rest]).toMatchObject([[3], { lastPosition: 3 }]);
  });

  test('over HTTP types and tags are one query item: repeated types are OR-ed, repeated tags AND-ed', async () => {
    expect(positions((await get('types=joined&types=renamed')).body)).toEqual([1, 2, 3]);
    expect(positions((await get('tags=user%3A1&tags=vip')).body)).toEqual([3]);
    expect(positions((await get('types=joined&tags=vip&after=1&limit=5')).body)).toEqual([3]);
    expect(positions((await get('tags=__proto__')).body)).toEqual([]);
  });
});

describe('conditions', () => {
  const condition = { failIfEventsMatch: { items: [{ tags: ['user:2'] }] } };
  const body = { events: [{ type: 'joined', data: null, tags: ['user:2'] }], condition };

  test('an append whose condition fails is refused with the position of the first match', async () => {
    const { error } = await client.call('appendEvents', { storeId: 'default', streamId: 'new', ...body });
    expect(error?.data).toEqual({ code: 'append_condition_failed', retriable: false, position: 2 });
  });

  test('over HTTP it is 409, and an append whose condition holds 201', async () => {
    const post = async (value: object) => {
      const answer = await fetch(`${gateway.http}/v1/stores/default/streams/new/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(value),
      });
      return { status: answer.status, body: await answer.json() };
    };
    expect(await post(body)).toMatchObject({
      status: 409,
      body: { code: 'append_condition_failed', position: 2 },
    });
    const after = { ...body, condition: { ...condition, after: 3 } };
    expect(await post(after)).toMatchObject({ status: 201, body: { position: 4 } });
    expect((await post(after)).status).toBe(409);
  });
});

describe('appendToStreams', () => {
  test('appends to several streams, checks others, and is a duplicate when it is repeated', async () => {
    const id = '019c1422-9c00-7000-8000-00000000aaaa';
    const params = {
      storeId: 'default',
      appends: [
        { streamId: 'a', events: [{ type: 't', data: 1, id }], expectedVersion: -1 },
        { streamId: 's0', events: [], expectedVersion: 0 },
        { streamId: 'b', events: [{ type: 't', data: 2, id }] },
      ],
    };
    const { result } = await client.call('appendToStreams', params);
    expect(result).toMatchObject({
      results: [
        { version: 0, count: 1, duplicate: false },
        { version: 0, count: 0, duplicate: false },
        { version: 0, count: 1, duplicate: false },
      ],
    });
    const again = (await client.call('appendToStreams', params)).result as { results: object[] };
    expect(again.results).toMatchObject([{ duplicate: true }, { duplicate: true }, { duplicate: true }]);
    const stale = { ...params, appends: [{ streamId: 's0', events: [], expectedVersion: 5 }] };
    expect((await client.call('appendToStreams', stale)).error?.data).toMatchObject({
      code: 'wrong_expected_version',
      streamId: 's0',
      actual: 0,
    });
  });
});

describe('versionAt', () => {
  test('gives the version that a stream had at a time', async () => {
    const stream = { storeId: 'default', streamId: 's0' };
    const { result } = await client.call('getEvents', stream);
    const [event] = (result as { events: { timestamp: string }[] }).events;
    const at = async (time: unknown) => client.call('versionAt', { ...stream, time });
    expect((await at(event?.timestamp)).result).toEqual({ version: 0 });
    expect((await at('2001-01-01T00:00:00Z')).result).toEqual({ version: -1 });
    expect((await at('2001-01-01')).error?.data).toMatchObject({ code: 'invalid_argument', reason: 'time' });
  });
});

describe('verifyStream', () => {
  test('is served by stores with the option tamperEvident, and not_supported by others', async () => {
    for (const storeId of ['sealed', 'scratch']) {
      const stream = { storeId, streamId: 's' };
      await client.call('appendEvents', { ...stream, events: [{ type: 't', data: 1 }] });
      expect((await client.call('verifyStream', stream)).result, storeId).toEqual({ verified: true });
    }
    const { error } = await client.call('verifyStream', { storeId: 'default', streamId: 's0' });
    expect(error?.data).toMatchObject({ code: 'not_supported' });
  });
});

describe('bytes', () => {
  test('come back as they were, also over HTTP, and reach the channel events', async () => {
    const stream = { storeId: 'default', streamId: 'drawing' };
    await client.call('subscribe', { channel: 'events', topic: 'default.drawing.>' });
    const events = [{ type: 'drawn', dataBase64: 'iVBORw==', contentType: 'image/png' }];
    expect((await client.call('appendEvents', { ...stream, events })).error).toBeUndefined();
    const answer = await fetch(`${gateway.http}/v1/stores/default/streams/drawing/events`);
    const [read] = ((await answer.json()) as { events: object[] }).events;
    expect(read).toMatchObject(events[0] as object);
    expect(read).not.toHaveProperty('data');
    await client.until(() => client.notices.some(({ method }) => method === 'message'));
    const message = client.notices.find(({ method }) => method === 'message');
    expect(message?.params['message']).toEqual(read);
  });

  test('both of data and dataBase64, or neither, are invalid_argument', async () => {
    for (const event of [{ type: 't' }, { type: 't', data: 1, dataBase64: 'AA==', contentType: 'a/b' }]) {
      const params = { storeId: 'default', streamId: 'x', events: [event] };
      expect((await client.call('appendEvents', params)).error?.data).toMatchObject({
        code: 'invalid_argument',
      });
    }
  });
});
