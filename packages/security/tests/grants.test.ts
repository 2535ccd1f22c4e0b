import { type Arbitrary, countReach, fc } from '@esdb-gater/property-testing';
import {
  ACTIONS,
  authorize,
  covers,
  coversAction,
  coversResource,
  filterGranted,
  type Grant,
  isGranted,
  isNormalResource,
  normalizeResource,
  resourceName,
} from '@esdb-gater/security';
import { describe, expect, test } from 'vitest';
import { reasonOf } from './forge.ts';

const users = 'esdb://default/stream/default/users-*';

/** Few letters, so that values collide; `*` is an ordinary character in an id. */
const id = fc
  .string({
    unit: fc.constantFrom('a', 'b', '-', '.', '*', 'é', 'e\u0301', ' ', '/', '%'),
    minLength: 1,
    maxLength: 4,
  })
  .filter((text) => text !== '.' && text !== '..');
const name = fc
  .tuple(fc.constantFrom('r', 's'), fc.constantFrom('a', 'b'), id)
  .map(([realm, storeId, streamId]) => resourceName.stream(realm, storeId, streamId));
const resource = fc.oneof(
  name,
  fc.constant('*'),
  fc
    .tuple(name, fc.nat(40))
    .map(([text, cut]) => `${text.slice(0, Math.max('esdb://'.length, text.length - cut))}*`)
    .filter(isNormalResource),
);
const action = fc.constantFrom(
  '*',
  'stream/*',
  'stream/read',
  'stream/append',
  'channel/*',
  'channel/publish',
);
const grant: Arbitrary<Grant> = fc.record({ with: resource, can: action });

describe('covers', () => {
  test('is reflexive (property)', () => {
    fc.assert(fc.property(grant, (g) => covers(g, g)));
  });

  test('is transitive (property)', () => {
    const reach = countReach({ chains: 20 });
    fc.assert(
      fc.property(grant, grant, grant, (a, b, c) => {
        if (!covers(a, b) || !covers(b, c)) return;
        reach.count('chains');
        expect(covers(a, c)).toBe(true);
      }),
      { numRuns: 3_000 },
    );
    reach.check();
  });

  test('is sound: a parent matches everything that its child matches (T3, property)', () => {
    let hits = 0;
    const verb = fc.constantFrom('stream/read', 'stream/append', 'channel/publish');
    fc.assert(
      fc.property(grant, grant, name, verb, (parent, child, wanted, can) => {
        if (!covers(parent, child) || !isGranted([child], wanted, can)) return;
        hits++;
        expect(isGranted([parent], wanted, can)).toBe(true);
      }),
      { numRuns: 5_000 },
    );
    expect(hits).toBeGreaterThan(20);
  });

  test('lets no narrowed grant escape (T3, the mutation list)', () => {
    const escapes = [
      'esdb://default/stream/default/users*',
      'esdb://default/stream/default/user*',
      'esdb://default/stream/default/*',
      'esdb://default/stream/*',
      'esdb://default/*',
      'esdb://*',
      '*',
      'esdb://default/stream/default/users',
      'esdb://default/stream/default/Users-1',
      'esdb://default/stream/default/USERS-*',
      'esdb://default/Stream/default/users-1',
      'ESDB://default/stream/default/users-1',
      'esdb://other/stream/default/users-1',
      'esdb://default/stream/other/users-1',
      'esdb://default/channel/default/users-1',
      'esdb://default/stream/default/users_1',
      'esdb://default/stream/default/users%E2%80%901',
    ];
    for (const child of escapes) expect(coversResource(users, child)).toBe(false);
  });

  test('refuses every spelling of a resource that is not the normal form (T3, the mutation list)', () => {
    const mutations = [
      '',
      'esdb://',
      'esdb:///',
      'esdb://default',
      'esdb://default/stream',
      'esdb://default/stream/',
      'esdb://default/stream//users-1',
      'esdb:///stream/default/users-1',
      'esdb://default/stream/default/users-1/',
      'esdb://default/stream/default/./users-1',
      'esdb://default/stream/default/users-/../admin',
      'esdb://default/stream/default/..',
      'esdb://default/stream/default/%2e%2e',
      'esdb://default/stream/default/%2E%2E',
      'esdb://default/stream/default/users-%2e%2e%2fadmin',
      'esdb://default/stream/default/users-%2f1',
      'esdb://default/stream/default/users-%61',
      'esdb://default/stream/default/users-%2D1',
      'esdb://default/stream/default/users-%',
      'esdb://default/stream/default/users-%2',
      'esdb://default/stream/default/users-%2*',
      'esdb://default/stream/default/users-%GG',
      'esdb://default/stream/default/users-%00',
      'esdb://default/stream/default/users-\0',
      'esdb://default/stream/default/users-%0A',
      'esdb://default/stream/default/users-%7F',
      'esdb://default/stream/default/users-%C2%85',
      'esdb://default/stream/default/users-%C3',
      'esdb://default/stream/default/users-%C3*',
      'esdb://default/stream/default/users-%C0%AF',
      'esdb://default/stream/default/users-%ED%A0%80',
      'esdb://default/stream/default/users-e%CC%81',
      'esdb://default/stream/default/users-é',
      'esdb://default/stream/default/users-\ud800',
      'esdb://default/stream/default/users-**',
      'esdb://default/stream/default/users-*1',
      'esdb://default/stream/*/users-1',
      'esdb://*/stream/default/users-*',
      '**',
      '/*',
      'esdb:*',
      'esdb:/*',
      'esdb://default/stream//*',
      'esdb://default/stream/../*',
      'esdb://default/stream/default/users-1?x',
      'esdb://default/stream/default/users-1#x',
      'esdb://user@default/stream/default/users-1',
      'esdb://default:80/stream/default/users-1',
      'http://default/stream/default/users-1',
      ` ${users}`,
      `${users}\n`,
      'esdb://default/stream/default/a b',
      `esdb://default/stream/default/${'a'.repeat(10_240)}`,
    ];
    for (const text of mutations) {
      expect([text, isNormalResource(text)]).toEqual([text, false]);
      expect(coversResource('*', text)).toBe(false);
      expect(coversResource(text, text)).toBe(false);
    }
    for (const wrong of [null, undefined, 1, [users], {}]) expect(isNormalResource(wrong)).toBe(false);
  });

  test('accepts only the actions `ns/verb`, `ns/*` and `*`', () => {
    for (const text of [
      '',
      '**',
      'stream',
      'stream/',
      '/read',
      '*/read',
      'stream/re*',
      'stream/read/x',
      'Stream/read',
    ]) {
      expect(coversAction('*', text)).toBe(false);
    }
    // Without a `*` at its end a grant covers only itself, not what differs in its last character.
    for (const [one, other] of [
      ['stream/read', 'stream/reab'],
      ['stream/read', 'stream/reads'],
      ['stream/reads', 'stream/read'],
    ] as const) {
      expect([coversAction(one, one), coversAction(one, other)]).toEqual([true, false]);
    }
    for (const other of ['users-2', 'users-', 'users-10', 'users-*']) {
      const name = (id: string): string => `esdb://default/stream/default/${id}`;
      expect([
        coversResource(name('users-1'), name('users-1')),
        coversResource(name('users-1'), name(other)),
      ]).toEqual([true, false]);
    }
    // Three segments are enough, also when one of them is percent-encoded.
    expect(coversResource('esdb://default/worker/%C3%BC', 'esdb://default/worker/%C3%BC')).toBe(true);
    expect(coversResource('*', 'esdb://default/%C3%BC')).toBe(false);
    expect(coversAction('stream/*', 'stream/read')).toBe(true);
    expect(coversAction('stream/*', 'streams/read')).toBe(false);
    expect(coversAction('stream/read', 'stream/*')).toBe(false);
    expect(coversAction('stream/*', '*')).toBe(false);
  });
});

describe('normalizeResource', () => {
  test('returns the normal form of any name (property)', () => {
    fc.assert(
      fc.property(name, (text) => {
        expect(isNormalResource(text)).toBe(true);
        expect(normalizeResource(text)).toBe(text);
        const spelt = text.replace(/[ab](?=[^:]*$)/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
        expect(normalizeResource(spelt)).toBe(text);
      }),
    );
  });

  test('normalises letters with accents and percent signs, and keeps a trailing `*`', () => {
    const normal = 'esdb://default/stream/default/%C3%A9t%C3%A9%2F1';
    for (const text of [
      'esdb://default/stream/default/été%2f1',
      'esdb://default/stream/default/e\u0301te\u0301%2F1',
      'esdb://default/stream/default/%65%CC%81t%c3%a9%2F1',
    ]) {
      expect(normalizeResource(text)).toBe(normal);
      expect(normalizeResource(`${text}*`)).toBe(`${normal}*`);
    }
  });

  test('refuses names without a normal form', () => {
    for (const text of [
      'x',
      'esdb://a/b/%2e%2e',
      'esdb://a/b//c',
      'esdb://a/*/c',
      'esdb://a/b/%ff',
      'esdb://a/b/%00',
    ]) {
      expect(reasonOf(() => normalizeResource(text))).toBe('invalid_resource');
    }
    expect(reasonOf(() => normalizeResource(1 as unknown as string))).toBe('invalid_argument/type');
  });

  test('is linear: hostile texts of the longest length are checked 2 000 times (T16)', () => {
    // In quadratic time each check would take 10 000 times as many steps, and the test would run into its time limit.
    for (const text of [
      `esdb://a/b/${'%2e'.repeat(3_300)}`,
      `esdb://${'/'.repeat(10_000)}`,
      `esdb://${'a/'.repeat(5_000)}*`,
    ]) {
      const normal = isNormalResource(text);
      for (let n = 0; n < 2_000; n++) if (isNormalResource(text) !== normal) expect.unreachable(text);
    }
  });
});

describe('resourceName', () => {
  test('writes the names of the contract', () => {
    expect(resourceName.stream('default', 'orders', 'user/1 é*')).toBe(
      'esdb://default/stream/orders/user%2F1%20%C3%A9%2A',
    );
    expect(resourceName.allStreams('default', 'orders')).toBe('esdb://default/stream/orders/*');
    expect(resourceName.channel('default', 'events', 'a.b_c-d~e')).toBe(
      'esdb://default/channel/events/a.b_c-d~e',
    );
    expect(resourceName.snapshot('r', 's', '4b5')).toBe('esdb://r/snapshot/s/4b5');
    expect(resourceName.subscription('r', 's', "it's (mine)!")).toBe(
      'esdb://r/subscription/s/it%27s%20%28mine%29%21',
    );
    expect(resourceName.worker('r', 's')).toBe('esdb://r/worker/s');
  });

  test('is, for a pattern, its literal prefix followed by `*`', () => {
    const wanted = (pattern: string): string => resourceName.channelPattern('default', 'events', pattern);
    expect(wanted('default.*.created')).toBe('esdb://default/channel/events/default.*');
    expect(wanted('default.>')).toBe('esdb://default/channel/events/default.*');
    expect(wanted('a.b.*')).toBe('esdb://default/channel/events/a.b.*');
    expect(wanted('*')).toBe('esdb://default/channel/events/*');
    expect(wanted('>')).toBe('esdb://default/channel/events/*');
    expect(wanted('a.b')).toBe('esdb://default/channel/events/a.b');
    expect(coversResource('esdb://default/channel/events/default.*', wanted('default.*.created'))).toBe(true);
    expect(coversResource('esdb://default/channel/events/default.users.*', wanted('default.*.created'))).toBe(
      false,
    );
  });

  test('never takes a stream for a beginning: a star in an id is written as a character', () => {
    const literal = resourceName.stream('default', 'default', 'users-*');
    expect(coversResource(literal, 'esdb://default/stream/default/users-1')).toBe(false);
    expect(coversResource(users, literal)).toBe(true);
  });

  test('takes names such as __proto__ (T15), and none that is empty or a dot segment', () => {
    expect(resourceName.stream('__proto__', 'constructor', 'toString')).toBe(
      'esdb://__proto__/stream/constructor/toString',
    );
    for (const wrong of ['', '.', '..', 'a\0', 'a\n', '\ud800']) {
      expect(reasonOf(() => resourceName.stream('r', 's', wrong))).toBe('invalid_argument/resource');
    }
  });
});

describe('authorize and filterGranted', () => {
  const authority = { att: [{ with: users, can: 'stream/read' }] };

  test('lets pass or throws', () => {
    expect(
      reasonOf(() => authorize(authority, 'esdb://default/stream/default/users-1', 'stream/read')),
    ).toBeUndefined();
    expect(
      reasonOf(() => authorize(authority, 'esdb://default/stream/default/users-1', 'stream/delete')),
    ).toBe('insufficient_permissions');
    expect(reasonOf(() => authorize({ att: [] }, '*', '*'))).toBe('insufficient_permissions');
  });

  test('filters lists by grants (T23)', () => {
    const streams = ['users-1', 'orders-1', 'users-2', 'user'];
    const resourceOf = (streamId: string): string => resourceName.stream('default', 'default', streamId);
    expect(filterGranted(authority, streams, resourceOf, 'stream/read')).toEqual(['users-1', 'users-2']);
    expect(filterGranted(authority, streams, resourceOf, 'stream/append')).toEqual([]);
  });

  test('has an action for the methods of the vocabulary', () => {
    expect(ACTIONS).toMatchObject({
      appendEvents: 'stream/append',
      getEvents: 'stream/read',
      ackEvent: 'subscription/create',
      publish: 'channel/publish',
      registerWorker: 'worker/register',
      health: undefined,
    });
    for (const can of Object.values(ACTIONS))
      if (can !== undefined) expect(coversAction('*', can)).toBe(true);
  });
});
