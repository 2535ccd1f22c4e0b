import { METHODS, type MethodName } from '@esdb-gater/protocol';
import { createToken, Identity } from '@esdb-gater/security';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestGateway } from '../support/in-process.ts';
import { type RawClient, rawConnect } from '../support/raw-client.ts';
import { bearer, type Grant, rawHttp, root, startGuarded, tokenFor, verdict } from './support.ts';

let gateway: TestGateway;
let anonymous: RawClient;
/** Has a valid token without any of the required grants. */
let powerless: RawClient;
let served: readonly string[];

beforeAll(async () => {
  gateway = await startGuarded();
  anonymous = await rawConnect(gateway.url);
  powerless = await rawConnect(gateway.url, bearer(tokenFor(gateway.did, NOTHING)));
  served = powerless.hello['methods'] as string[];
  const admin = await rawConnect(gateway.url, bearer(tokenFor(gateway.did)));
  for (const storeId of ['default', 'secret']) {
    await admin.call('appendEvents', { storeId, streamId: 's', events: [{ type: 't', data: 1 }] });
  }
});
afterAll(() => gateway.close());

const NOTHING: readonly Grant[] = [{ with: 'esdb://default/stream/nowhere/x', can: 'stream/read' }];
const REQUIRED = 'unauthorized/capability_required';
const FORBIDDEN = 'unauthorized/insufficient_permissions';

const stream = { storeId: 'default', streamId: 's' };
const events = [{ type: 't', data: 1 }];
const snapshot = { storeId: 'default', sourceUuid: 'a', streamUuid: 'b' };
const named = { storeId: 'default', name: 'n' };
const query = { items: [{ types: ['t'] }] };
const STREAM = 'esdb://default/stream/default/s';
const STORE = 'esdb://default/stream/default/*';
const SNAPSHOT = 'esdb://default/snapshot/default/b';
const SUBSCRIPTION = 'esdb://default/subscription/default/n';
const TOPIC = 'esdb://default/channel/system/a';

interface Row {
  readonly params: object;
  /** The grants that the contract requires; each alone is not enough. Empty: any valid token will do. */
  readonly needs: readonly (readonly [action: string, resource: string])[];
}

const row = (params: object, ...needs: Row['needs']): Row => ({ params, needs });

/** A copy of the contract's table, not derived from the table of the gateway. */
const TABLE: Readonly<Record<Exclude<MethodName, 'authenticate' | 'revokeToken'>, Row>> = {
  appendEvents: row({ ...stream, events }, ['stream/append', STREAM]),
  appendToStreams: row({ storeId: 'default', appends: [{ streamId: 's', events }] }, [
    'stream/append',
    STREAM,
  ]),
  getEvents: row(stream, ['stream/read', STREAM]),
  streamForward: row(stream, ['stream/read', STREAM]),
  streamBackward: row(stream, ['stream/read', STREAM]),
  getVersion: row(stream, ['stream/read', STREAM]),
  streamExists: row(stream, ['stream/read', STREAM]),
  getStreams: row({ storeId: 'default' }, ['stream/read', STREAM]),
  deleteStream: row({ ...stream, streamId: 'gone' }, ['stream/delete', 'esdb://default/stream/default/gone']),
  followEvents: row(stream, ['stream/read', STREAM]),
  unfollow: row({ followId: 'x' }),
  versionAt: row({ ...stream, time: '2026-01-01T00:00:00Z' }, ['stream/read', STREAM]),
  verifyStream: row(stream, ['stream/read', STREAM]),
  readAll: row({ storeId: 'default' }, ['stream/read', STORE]),
  queryEvents: row({ storeId: 'default', query }, ['stream/read', STORE]),
  recordSnapshot: row({ ...snapshot, version: 0, record: {} }, ['snapshot/write', SNAPSHOT]),
  readSnapshot: row(snapshot, ['snapshot/read', SNAPSHOT]),
  listSnapshots: row(snapshot, ['snapshot/read', SNAPSHOT]),
  deleteSnapshot: row({ ...snapshot, version: 0 }, ['snapshot/delete', SNAPSHOT]),
  saveSubscription: row(
    { ...named, type: 'stream', selector: '$all' },
    ['subscription/create', SUBSCRIPTION],
    ['stream/read', STORE],
  ),
  leaveSubscription: row(named, ['subscription/create', SUBSCRIPTION]),
  removeSubscription: row(named, ['subscription/delete', SUBSCRIPTION]),
  ackEvent: row({ ...named, streamId: 's', eventNumber: 0 }, ['subscription/create', SUBSCRIPTION]),
  nackEvent: row({ ...named, streamId: 's', eventNumber: 0, action: 'skip' }, [
    'subscription/create',
    SUBSCRIPTION,
  ]),
  getSubscriptions: row({ storeId: 'default' }, ['subscription/list', SUBSCRIPTION]),
  listParked: row(named, ['subscription/create', SUBSCRIPTION]),
  replayParked: row(named, ['subscription/create', SUBSCRIPTION]),
  resetSubscription: row({ ...named, startFrom: 0 }, ['subscription/create', SUBSCRIPTION]),
  publish: row({ channel: 'system', topic: 'a', message: 1 }, ['channel/publish', TOPIC]),
  subscribe: row({ channel: 'system', topic: 'a' }, ['channel/subscribe', TOPIC]),
  unsubscribe: row({ channel: 'system', topic: 'a' }),
  channelInfo: row({}),
  health: row({}),
  clusterInfo: row({}),
  quickHealthCheck: row({ storeId: 'default' }),
  registerWorker: row({ storeId: 'mine' }, ['worker/register', 'esdb://default/worker/mine']),
  unregisterWorker: row({ storeId: 'mine' }, ['worker/register', 'esdb://default/worker/mine']),
};
const ROWS = Object.entries(TABLE) as readonly (readonly [MethodName, Row])[];
const ASKING = ROWS.filter(([, { needs }]) => needs.length > 0);

/** Every action there is, but one: the most powerful token that lacks it. */
const ACTIONS = [
  ...['stream/append', 'stream/read', 'stream/delete', 'snapshot/write', 'snapshot/read', 'snapshot/delete'],
  ...[
    'subscription/create',
    'subscription/delete',
    'subscription/list',
    'channel/publish',
    'channel/subscribe',
  ],
  'worker/register',
];
const allBut = (action: string): readonly Grant[] =>
  ACTIONS.filter((one) => one !== action).map((can) => ({ with: '*', can }));

describe('every way in asks: WebSocket', () => {
  test('the table has every method of the protocol', () => {
    expect([...Object.keys(TABLE), 'authenticate', 'revokeToken'].sort()).toEqual(
      Object.keys(METHODS).sort(),
    );
  });

  test.each(ROWS)('%s without a token is capability_required', async (method, { params }) => {
    expect(verdict(await anonymous.call(method, params))).toBe(REQUIRED);
    expect(verdict(await anonymous.call(method, {}))).toBe(REQUIRED);
  });

  test('so is an unknown method, one call of a batch, and invalid parameters', async () => {
    expect(verdict(await anonymous.call('noSuchMethod', {}))).toBe(REQUIRED);
    expect(verdict(await anonymous.call('toString', {}))).toBe(REQUIRED);
    for (const params of [
      undefined,
      null,
      [],
      ['default', 's'],
      { token: undefined, channel: 'diagnostics' },
    ]) {
      expect(verdict(await anonymous.call('getVersion', params as object)), String(params)).toMatch(
        /^(unauthorized\/capability_required|invalid_argument)/,
      );
    }
  });

  test.each(ASKING)(
    '%s with every other action is insufficient_permissions',
    async (method, { params, needs }) => {
      for (const [action] of needs) {
        const token = tokenFor(gateway.did, allBut(action));
        const answer = verdict(await powerless.call(method, { ...params, token }));
        expect(answer).toBe(served.includes(method) ? FORBIDDEN : 'not_supported');
      }
    },
  );

  test.each(ASKING)(
    '%s with its action on something else is insufficient_permissions',
    async (method, row) => {
      if (!served.includes(method)) return;
      for (const [action, resource] of row.needs) {
        const elsewhere = resource
          .replace('/default/default/', '/default/other/')
          .replace(/^esdb:\/\/default\/(stream|snapshot|subscription)\/default/, 'esdb://default/$1/other')
          .replace('/channel/system/', '/channel/events/')
          .replace('/worker/mine', '/worker/other');
        expect(elsewhere).not.toBe(resource);
        const token = tokenFor(gateway.did, [
          { with: elsewhere, can: action },
          { with: resource.replace('esdb://default/', 'esdb://elsewhere/'), can: '*' },
          ...allBut(action),
        ]);
        expect(verdict(await powerless.call(method, { ...row.params, token }))).toBe(FORBIDDEN);
      }
    },
  );

  test.each(ASKING)('%s passes with exactly what the contract names', async (method, { params, needs }) => {
    if (!served.includes(method)) return;
    const token = tokenFor(
      gateway.did,
      needs.map(([can, resource]) => ({ with: resource, can })),
    );
    expect(verdict(await powerless.call(method, { ...params, token }))).not.toMatch(/^unauthorized/);
  });

  test('what asks for no action wants a valid token all the same', async () => {
    for (const method of ['health', 'channelInfo', 'quickHealthCheck', 'unsubscribe'] as const) {
      const { params } = TABLE[method];
      expect(verdict(await powerless.call(method, params)), method).toBe('ok');
      const minted = createToken({
        issuer: Identity.generate(),
        audience: gateway.did,
        att: [{ with: '*', can: '*' }],
      });
      expect(verdict(await powerless.call(method, { ...params, token: minted })), method).toBe(
        'unauthorized/untrusted_root',
      );
    }
  });

  test('a call without an id is refused as well, and leaves nothing behind', async () => {
    const params = { storeId: 'default', streamId: 'silent', events };
    for (const client of [anonymous, powerless]) {
      client.send({ jsonrpc: '2.0', method: 'appendEvents', params });
      await client.call('health');
    }
    const admin = await rawConnect(gateway.url, bearer(tokenFor(gateway.did)));
    const answer = await admin.call('getVersion', { storeId: 'default', streamId: 'silent' });
    expect(answer.result).toEqual({ version: -1 });
    await admin.close();
  });

  test.each(ASKING)(
    '%s answers the same for a store that is missing and one that is forbidden',
    async (method, row) => {
      if (!('storeId' in row.params) || method.endsWith('Worker')) return;
      const [missing, forbidden] = await Promise.all(
        ['nowhere-at-all', 'secret'].map(async (storeId) => {
          const { error, result } = await powerless.call(method, { ...row.params, storeId });
          return JSON.stringify(error ?? result).replaceAll(storeId, '<store>');
        }),
      );
      expect(missing).toBe(forbidden);
    },
  );
});

describe('every way in asks: HTTP', () => {
  interface Route {
    readonly method: string;
    readonly path: string;
    readonly body?: object;
    readonly of: readonly (keyof typeof TABLE)[];
  }
  const S = '/v1/stores/default';
  const ROUTES: readonly Route[] = [
    { method: 'POST', path: `${S}/streams/s/events`, body: { events }, of: ['appendEvents'] },
    { method: 'GET', path: `${S}/streams/s/events`, of: ['getEvents'] },
    { method: 'GET', path: `${S}/streams`, of: ['getStreams'] },
    { method: 'GET', path: `${S}/streams/s`, of: ['getVersion'] },
    { method: 'DELETE', path: `${S}/streams/gone`, of: ['deleteStream'] },
    { method: 'GET', path: `${S}/events`, of: ['readAll'] },
    { method: 'GET', path: `${S}/events?types=t`, of: ['queryEvents'] },
    { method: 'GET', path: `${S}/snapshots/a/b`, of: ['listSnapshots'] },
    { method: 'GET', path: `${S}/snapshots/a/b/latest`, of: ['readSnapshot'] },
    { method: 'GET', path: `${S}/snapshots/a/b/0`, of: ['readSnapshot'] },
    { method: 'PUT', path: `${S}/snapshots/a/b/0`, body: { record: {} }, of: ['recordSnapshot'] },
    { method: 'DELETE', path: `${S}/snapshots/a/b/0`, of: ['deleteSnapshot'] },
    { method: 'GET', path: `${S}/subscriptions`, of: ['getSubscriptions'] },
    { method: 'GET', path: `${S}/subscriptions/n`, of: ['getSubscriptions'] },
    {
      method: 'PUT',
      path: `${S}/subscriptions/n`,
      body: { type: 'stream', selector: '$all' },
      of: ['saveSubscription'],
    },
    { method: 'DELETE', path: `${S}/subscriptions/n`, of: ['removeSubscription'] },
    {
      method: 'POST',
      path: '/v1/channels/system/messages',
      body: { topic: 'a', message: 1 },
      of: ['publish'],
    },
    { method: 'GET', path: '/v1/channels/system/messages?topic=a', of: ['subscribe'] },
  ];
  const named = ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const);

  const ask = ({ method, path, body }: Route, token?: string) =>
    rawHttp(gateway.http, method, path, { token, ...(body === undefined ? {} : { body }) });

  test.each(named)('%s without a token is 401, capability_required', async (_, route) => {
    const { status, verdict: answer } = await ask(route);
    expect([status, answer]).toEqual([401, REQUIRED]);
  });

  test.each(named)('%s with every other action is 403, insufficient_permissions', async (_, route) => {
    for (const method of route.of) {
      for (const [action] of TABLE[method].needs) {
        const { status, verdict: answer } = await ask(route, tokenFor(gateway.did, allBut(action)));
        if (served.includes(method)) expect([status, answer]).toEqual([403, FORBIDDEN]);
        else expect([status, answer]).toEqual([501, 'not_supported']);
      }
    }
  });

  test.each(named)('%s passes with exactly what the contract names', async (_, route) => {
    const needs = route.of.flatMap((method) => TABLE[method].needs);
    const token = tokenFor(
      gateway.did,
      needs.map(([can, resource]) => ({ with: resource, can })),
    );
    expect((await ask(route, token)).verdict).not.toMatch(/^unauthorized/);
  });

  test.each(named)('%s answers the same for what is missing and what is forbidden', async (_, route) => {
    if (!route.path.startsWith(S)) return;
    const token = tokenFor(gateway.did, NOTHING);
    const [missing, forbidden] = await Promise.all(
      ['nowhere-at-all', 'secret'].map(async (storeId) => {
        const { status, text } = await ask(
          { ...route, path: route.path.replace(S, `/v1/stores/${storeId}`) },
          token,
        );
        return `${status} ${text.replaceAll(storeId, '<store>')}`;
      }),
    );
    expect(missing).toBe(forbidden);
  });

  test('probes, the page and the descriptions want no token; health, metrics and channels any valid one', async () => {
    const get = async (path: string, token?: string) =>
      (await rawHttp(gateway.http, 'GET', path, { token })).status;
    for (const path of ['/livez', '/readyz', '/', '/openapi.json', '/asyncapi.json']) {
      expect(await get(path), path).not.toBe(401);
    }
    const weak = tokenFor(gateway.did, NOTHING);
    for (const path of ['/health', '/metrics', '/v1/channels']) {
      expect(await get(path), path).toBe(401);
      expect(await get(path, 'x.y.z'), path).toBe(401);
      expect(await get(path, weak), path).toBe(200);
    }
  });

  test('a revocation needs no token, only its proof', async () => {
    const body = { cid: 'x', by: root.did, at: 1, proof: 'A'.repeat(86) };
    const { status } = await rawHttp(gateway.http, 'POST', '/v1/revocations', { body });
    expect(status).not.toBe(200);
    expect((await rawHttp(gateway.http, 'POST', '/v1/revocations', { body })).verdict).not.toBe(REQUIRED);
  });
});

describe('lists', () => {
  test('getStreams pages through what is covered, and neither page nor `next` names anything else', async () => {
    const admin = await rawConnect(gateway.url, bearer(tokenFor(gateway.did)));
    const all: string[] = [];
    for (let i = 0; i < 30; i++) {
      for (const tenant of ['tenant-a', 'tenant-b', 'tenant-c'])
        all.push(`${tenant}-${String(i).padStart(2, '0')}`);
    }
    for (const streamId of [...all, 'tenant-b']) {
      await admin.call('appendEvents', { storeId: 'default', streamId, events });
    }
    const token = tokenFor(gateway.did, [
      { with: 'esdb://default/stream/default/tenant-c-*', can: 'stream/read' },
      { with: 'esdb://default/stream/default/tenant-a-1*', can: 'stream/*' },
      { with: 'esdb://default/stream/default/tenant-b-07', can: 'stream/read' },
      { with: 'esdb://default/stream/default/tenant-b-08', can: 'stream/append' },
    ]);
    const visible = all.filter((id) => /^tenant-c-|^tenant-a-1|^tenant-b-07$/.test(id)).sort();
    for (const limit of [1, 3, 7, 41, 1_000]) {
      const seen: string[] = [];
      for (let after: string | undefined; ; ) {
        const params = { storeId: 'default', limit, token, ...(after === undefined ? {} : { after }) };
        const { result } = await powerless.call('getStreams', params);
        const page = result as { streams: string[]; next?: string };
        expect(page.streams.length).toBeLessThanOrEqual(limit);
        seen.push(...page.streams);
        if (page.next === undefined) break;
        expect(visible, 'next').toContain(page.next);
        after = page.next;
      }
      expect(seen, `limit ${limit}`).toEqual(visible);
    }
    const under = async (prefix: string) =>
      (
        (await powerless.call('getStreams', { storeId: 'default', prefix, token })).result as {
          streams: string[];
        }
      ).streams;
    expect(await under('tenant-a')).toHaveLength(10);
    expect(await under('tenant-b')).toEqual(['tenant-b-07']);
    expect(await under('tenant-c-2')).toHaveLength(10);
    expect(await under('tenant-a-2')).toEqual([]);
    await admin.close();
  });
});
