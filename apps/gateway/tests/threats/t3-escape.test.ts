import { fc } from '@esdb-gater/property-testing';
import { createToken, Identity } from '@esdb-gater/security';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestGateway } from '../support/in-process.ts';
import { type RawClient, rawConnect } from '../support/raw-client.ts';
import {
  bearer,
  claimsFor,
  everyDoor,
  forge,
  forgeChild,
  type Grant,
  type HttpAnswer,
  rawHttp,
  root,
  STREAMS,
  startGuarded,
  tokenFor,
  verdict,
} from './support.ts';

let gateway: TestGateway;
let admin: RawClient;
/** May only read `users-*`. */
let narrow: RawClient;
let narrowToken: string;

const NARROW: readonly Grant[] = [{ with: `${STREAMS}users-*`, can: 'stream/read' }];
const FORBIDDEN = 'unauthorized/insufficient_permissions';

beforeAll(async () => {
  gateway = await startGuarded();
  admin = await rawConnect(gateway.url, bearer(tokenFor(gateway.did)));
  narrowToken = tokenFor(gateway.did, NARROW);
  narrow = await rawConnect(gateway.url, bearer(narrowToken));
  for (const streamId of ['users-1', 'users', 'usersX', 'admin', 'Users-1', 'users-\u00e9']) {
    const answer = await admin.call('appendEvents', {
      storeId: 'default',
      streamId,
      events: [{ type: 'secret', data: streamId }],
    });
    expect(verdict(answer)).toBe('ok');
  }
});
afterAll(() => gateway.close());

/** Ids that look like names below `users-`, but are not. Some are not valid ids. */
const OUTSIDE = [
  'users',
  'usersX',
  'users_1',
  'Users-1',
  'USERS-1',
  'admin',
  '*',
  'user*',
  'users*',
  '**',
  '',
  '.',
  '..',
  './users-1',
  '../users-1',
  '/users-1',
  '//users-1',
  'default/users-1',
  '%75sers-1',
  'users%2D1',
  'users%252D1',
  '\u0000users-1',
  ' users-1',
  '\tusers-1',
  '\u200busers-1',
  '\ufeffusers-1',
  'users\u20101',
  'users\u00ad-1',
  'user\u017f-1',
  '\uff55sers-1',
  '__proto__',
  'constructor',
];

/** Ids below `users-` that would be elsewhere if anything decoded, cut or tidied them once more. */
const INSIDE_BUT_ODD = [
  'users-/../admin',
  'users-%2F..%2Fadmin',
  'users-%2e%2e',
  'users-..',
  'users-/',
  'users-//',
  'users-*',
  'users-**',
  'users-?x=admin',
  'users-#admin',
  'users-;admin',
  'users-\\..\\admin',
];

describe('T3: an escape from a narrowed grant, over WebSocket', () => {
  test.each(OUTSIDE)('reading %j needs another grant', async (streamId) => {
    for (const method of ['getEvents', 'getVersion', 'streamExists', 'streamForward', 'streamBackward']) {
      const answer = await narrow.call(method, { storeId: 'default', streamId });
      // An invalid id is refused first, and never used for a read.
      expect([FORBIDDEN, 'invalid_argument/stream_id'], method).toContain(verdict(answer));
    }
  });

  test.each(INSIDE_BUT_ODD)('%j is the stream of that name and no other', async (streamId) => {
    const answer = await narrow.call('getEvents', { storeId: 'default', streamId });
    expect(verdict(answer)).toBe('stream_not_found');
  });

  test.each(['users-\u0000', 'users-\u0000/../admin', 'users-\n', 'users-\u0085', 'users-\ud800'])(
    '%j is not the name of a stream',
    async (streamId) => {
      const answer = await narrow.call('getEvents', { storeId: 'default', streamId });
      expect(verdict(answer)).toMatch(/^invalid_argument/);
    },
  );

  test('a name has one canonical form: NFC and NFD are the same resource, for a grant and against it', async () => {
    const composed = tokenFor(gateway.did, [{ with: `${STREAMS}users-%C3%A9`, can: 'stream/read' }]);
    const other = tokenFor(gateway.did, [{ with: `${STREAMS}users-e*`, can: 'stream/read' }]);
    for (const streamId of ['users-\u00e9', 'users-e\u0301']) {
      const call = (token: string) => narrow.call('getVersion', { storeId: 'default', streamId, token });
      expect(verdict(await call(composed)), streamId).toBe('ok');
      // NFD begins with a plain e, which that grant does not cover.
      expect(verdict(await call(other)), streamId).toBe(FORBIDDEN);
    }
  });

  test('the same id in another store, another kind of thing or another action is another resource', async () => {
    const ids = { sourceUuid: 'users-1', streamUuid: 'users-1' };
    const calls: readonly (readonly [string, object])[] = [
      ['getVersion', { storeId: 'secret', streamId: 'users-1' }],
      ['getVersion', { storeId: 'Default', streamId: 'users-1' }],
      ['appendEvents', { storeId: 'default', streamId: 'users-1', events: [{ type: 't', data: 1 }] }],
      ['deleteStream', { storeId: 'default', streamId: 'users-1' }],
      ['readAll', { storeId: 'default' }],
      ['readSnapshot', { storeId: 'default', ...ids }],
      ['recordSnapshot', { storeId: 'default', ...ids, version: 0, record: {} }],
      ['publish', { channel: 'events', topic: 'users-1', message: {} }],
      ['subscribe', { channel: 'events', topic: 'users-1' }],
      ['registerWorker', { storeId: 'default' }],
    ];
    for (const [method, params] of calls)
      expect(verdict(await narrow.call(method, params)), method).toBe(FORBIDDEN);
  });

  test('unknown members do not widen the access', async () => {
    const outside = { storeId: 'default', streamId: 'admin' };
    for (const extra of [
      { channel: 'diagnostics' },
      { resource: `${STREAMS}users-1` },
      { att: [{ with: '*', can: '*' }] },
      { realm: 'other' },
      { __proto__: null, grant: {} },
    ]) {
      expect(verdict(await narrow.call('getVersion', { ...outside, ...extra }))).not.toBe('ok');
    }
    const twice =
      '{"jsonrpc":"2.0","id":"twice","method":"getVersion","params":{"storeId":"default","streamId":"users-1","streamId":"admin"}}';
    const before = narrow.texts.length;
    narrow.send(twice);
    await narrow.until(() => narrow.texts.length > before);
    expect(narrow.texts.at(-1)).toContain('insufficient_permissions');
  });

  test('a list shows only the names that the grant covers, and does not reveal others', async () => {
    for (const prefix of ['', 'u', 'user', 'users', 'users-', 'a', 'Users']) {
      const { result } = await narrow.call('getStreams', { storeId: 'default', prefix });
      const { streams } = result as { streams: string[] };
      expect(streams.every((streamId) => streamId.startsWith('users-'))).toBe(true);
    }
  });

  test('a pattern is covered by a grant on its literal beginning and no other', async () => {
    const client = await rawConnect(
      gateway.url,
      bearer(
        tokenFor(gateway.did, [
          { with: 'esdb://default/channel/events/users.*', can: 'channel/subscribe' },
          { with: 'esdb://default/channel/system/users', can: 'channel/subscribe' },
        ]),
      ),
    );
    const subscribe = async (topic: string, channel = 'events') =>
      verdict(await client.call('subscribe', { channel, topic }));
    for (const topic of ['users.a', 'users.*', 'users.>', 'users.a.*', 'users.*.a']) {
      expect(await subscribe(topic), topic).toBe('ok');
    }
    for (const topic of [
      '>',
      '*',
      '*.a',
      'users',
      'user.*',
      'usersX.>',
      'Users.a',
      'users%2Ea',
      '*.users.a',
    ]) {
      expect(await subscribe(topic), topic).toBe(FORBIDDEN);
    }
    expect(await subscribe('users', 'system')).toBe('ok');
    for (const topic of ['users.a', 'users.>', '>', '*']) {
      expect(await subscribe(topic, 'system'), topic).toBe(FORBIDDEN);
    }
    for (const topic of ['users..a', 'users.', '.users.a', 'users.a\u0000', 'users. a', 'users.>.a']) {
      expect(await subscribe(topic), topic).toMatch(/^invalid_argument/);
    }
    await client.close();
  });
});

describe('T3: an escape from a narrowed grant, over HTTP', () => {
  const read = (path: string): Promise<HttpAnswer> =>
    rawHttp(gateway.http, 'GET', `/v1/stores/default/streams/${path}`, { token: narrowToken });

  test('the grant itself works', async () => {
    for (const path of ['users-1', 'users%2D1', '%75sers-1', '%75%73%65%72%73%2d%31']) {
      const answer = await read(`${path}/events`);
      expect(answer.verdict, path).toBe('ok');
      expect(answer.text).toContain('"streamId":"users-1"');
    }
  });

  test.each([
    'users',
    'usersX',
    'admin',
    'Users-1',
    'users%5F1',
    '%2e',
    '%2e%2e',
    '%2E%2E',
    '%2e%2e%2fusers-1',
    '..%2fusers-1',
    '%2e%2e/users-1',
    '../streams/admin',
    './admin',
    'users-1/../admin',
    'users-1/%2e%2e/admin',
    'users-1/..%2fadmin',
    'users-1%2f..%2f..%2fadmin/../../admin',
    '%2Fusers-1',
    '%252Fusers-1',
    '%25%37%35sers-1',
    'users%252D1',
    '%00users-1',
    'users%00-1',
    '',
    '/users-1',
    '%20users-1',
    'users%2A',
    'users*',
    '*',
    '**',
    '%2A%2A',
    'users%E2%80%901',
    '%EF%BD%95sers-1',
    'user%C5%BF-1',
    'users-1;/../admin',
    'admin;users-1',
    'admin?streamId=users-1',
    'admin#users-1',
    'admin%23users-1',
  ])('%s is not below the grant', async (path) => {
    for (const end of ['', '/events']) {
      const answer = await read(`${path}${end}`);
      expect(answer.verdict, `${path}${end}`).not.toBe('ok');
      expect(answer.text).not.toContain('"type":"secret"');
    }
  });

  test.each([
    ['users-%00', /^invalid_argument/],
    ['users-%0a', /^invalid_argument/],
    ['users-%C0%AF', /^400$/],
    ['users-%ED%A0%80', /^400$/],
    ['users-%', /^400$/],
    ['users-%2F..%2Fadmin', /^stream_not_found$/],
    ['users-%2e%2e', /^stream_not_found$/],
    ['users-%252e%252e%252fadmin', /^stream_not_found$/],
    ['users-e%CC%81', /^stream_not_found$/],
  ])('%s is a name, or none, and never that of another stream', async (path, expected) => {
    const answer = await read(`${path}/events`);
    expect(answer.verdict).toMatch(expected);
  });

  test('the body and the query cannot replace the names in the path', async () => {
    const writer = tokenFor(gateway.did, [{ with: `${STREAMS}users-*`, can: '*' }]);
    const events = [{ type: 't', data: 1 }];
    const post = (path: string, body: object) =>
      rawHttp(gateway.http, 'POST', `/v1/stores/default/streams/${path}`, { token: writer, body });
    expect((await post('users-2/events', { events })).verdict).toBe('ok');
    expect((await post('admin/events', { events })).verdict).toBe(FORBIDDEN);
    for (const body of [
      { events, streamId: 'admin' },
      { events, storeId: 'secret' },
    ]) {
      expect((await post('users-2/events', body)).verdict).toMatch(/^invalid_argument/);
    }
    expect((await post('users-2/events?streamId=admin', { events })).verdict).toMatch(/^invalid_argument/);
    const { result } = await admin.call('getVersion', { storeId: 'default', streamId: 'admin' });
    expect(result).toEqual({ version: 0 });
  });

  test('a channel, its topic and a snapshot are asked for as over WebSocket', async () => {
    const token = tokenFor(gateway.did, [
      { with: 'esdb://default/channel/events/users.*', can: 'channel/*' },
      { with: 'esdb://default/snapshot/default/users-*', can: 'snapshot/*' },
    ]);
    const at = async (method: string, path: string, body?: object) =>
      (await rawHttp(gateway.http, method, path, { token, ...(body === undefined ? {} : { body }) })).verdict;
    expect(await at('GET', '/v1/channels/events/messages?topic=users.%3E')).toBe('ok');
    for (const topic of ['users', '%3E', '*', 'Users.a', 'users%252Ea', 'user.%3E']) {
      expect(await at('GET', `/v1/channels/events/messages?topic=${topic}`), topic).toBe(FORBIDDEN);
    }
    expect(await at('GET', '/v1/channels/events/messages?topic=users.a&topic=admin')).toMatch(
      /^invalid_argument/,
    );
    expect(await at('GET', '/v1/channels/system/messages?topic=users.a')).toBe(FORBIDDEN);
    const message = { topic: 'users.a', message: 1 };
    expect(await at('POST', '/v1/channels/events/messages', message)).toBe('ok');
    expect(await at('POST', '/v1/channels/system/messages', message)).toBe(FORBIDDEN);
    expect(await at('POST', '/v1/channels/events/messages', { ...message, channel: 'system' })).toMatch(
      /^invalid_argument/,
    );
    expect(await at('PUT', '/v1/stores/default/snapshots/a/users-1/0', { record: {} })).toBe('ok');
    for (const path of [
      'a/users/0',
      'users-1/admin/0',
      'a/users-1%2F..%2Fx/../../../admin/0',
      'a/%2e%2e/0',
    ]) {
      expect(await at('PUT', `/v1/stores/default/snapshots/${path}`, { record: {} }), path).not.toBe('ok');
    }
  });
});

describe('T3: a narrowed delegated grant', () => {
  const alice = Identity.generate();
  const parentFor = (att: readonly Grant[]): string =>
    createToken({ issuer: root, audience: alice.did, att });
  const child = (parent: string, att: readonly Grant[]): string =>
    forgeChild(parent, alice, gateway.did, att);

  test.each([
    `${STREAMS}users*`,
    `${STREAMS}user*`,
    `${STREAMS}*`,
    'esdb://default/stream/*',
    'esdb://default/*',
    'esdb://*',
    '*',
    `${STREAMS}users`,
    `${STREAMS}Users-1`,
    `${STREAMS}users%E2%80%901`,
    'esdb://default/stream/Default/users-1',
    'esdb://other/stream/default/users-1',
    'esdb://default/snapshot/default/users-1',
  ])('%s is more than users-* gave: invalid_delegation', async (resource) => {
    const wide = child(parentFor(NARROW), [{ with: resource, can: 'stream/read' }]);
    expect(await everyDoor(gateway, narrow, wide)).toEqual(Array(4).fill('unauthorized/invalid_delegation'));
  });

  test.each(['stream/append', 'stream/*', '*', 'subscription/create'])(
    'the action %s is more than stream/read gave: invalid_delegation',
    async (can) => {
      const wide = child(parentFor(NARROW), [{ with: `${STREAMS}users-1`, can }]);
      expect(await everyDoor(gateway, narrow, wide)).toEqual(
        Array(4).fill('unauthorized/invalid_delegation'),
      );
    },
  );

  test.each([
    `${STREAMS}users-**`,
    `${STREAMS}users-*x`,
    `${STREAMS}*/x`,
    `${STREAMS}/users-1`,
    `${STREAMS}users-1/`,
    `${STREAMS}.`,
    `${STREAMS}..`,
    `${STREAMS}%2e%2e`,
    `${STREAMS}users-%2e%2e%2fadmin`,
    `${STREAMS}users-%2f1`,
    `${STREAMS}users-%00`,
    `${STREAMS}users-\u0000`,
    `${STREAMS}users-e%CC%81`,
    `${STREAMS}users-\u00e9`,
    `${STREAMS}users-%`,
    'ESDB://default/stream/default/users-1',
    'esdb:///stream/default/users-1',
    'esdb://default//default/users-1',
    '**',
    '',
  ])('%j is not a normal form, and is refused in tokens: invalid_resource', async (resource) => {
    const odd = forge(claimsFor(gateway.did, { att: [{ with: resource, can: 'stream/read' }] }));
    expect(await everyDoor(gateway, narrow, odd)).toEqual(Array(4).fill('unauthorized/invalid_resource'));
  });

  test('property: a parent allows everything that a narrowed token allows', async () => {
    const part = fc.constantFrom(
      'users',
      'users-',
      'users-1',
      'users-*',
      'u*',
      '*',
      'users-%2A',
      'users-%C3%A9*',
    );
    const id = fc.constantFrom(
      'users',
      'users-',
      'users-1',
      'users-12',
      'users-*',
      'u',
      'users-\u00e9x',
      'x',
    );
    let opened = 0;
    await fc.assert(
      fc.asyncProperty(part, part, id, async (given, kept, streamId) => {
        const gave = [{ with: `${STREAMS}${given}`, can: 'stream/read' }];
        const parent = tokenFor(gateway.did, gave);
        const token = child(parentFor(gave), [{ with: `${STREAMS}${kept}`, can: 'stream/read' }]);
        const call = async (one: string) =>
          verdict(await narrow.call('getVersion', { storeId: 'default', streamId, token: one }));
        if ((await call(token)) !== 'ok') return;
        opened++;
        expect(await call(parent)).toBe('ok');
      }),
      { numRuns: 200 },
    );
    expect(opened).toBeGreaterThan(5);
  });
});
