import { fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { METHOD_NAMES, type MethodName } from '../methods/method-table.ts';
import { explain } from './explain.ts';
import { METHOD_SCHEMAS } from './method-schemas.ts';
import { compileCheck, validateParams, validateResult } from './validate.ts';

const append = { storeId: 's', streamId: 'a-1', events: [{ type: 't', data: 1 }] };

function refusal(method: string, params: unknown): Record<string, unknown> {
  try {
    validateParams(method, params);
  } catch (error) {
    return (error as { toData(): Record<string, unknown> }).toData();
  }
  return { code: 'none' };
}

describe('validateParams', () => {
  const good: readonly [MethodName, unknown][] = [
    ['appendEvents', append],
    ['appendEvents', { ...append, expectedVersion: -1 }],
    ['appendEvents', { ...append, expectedVersion: -2 }],
    ['appendEvents', { ...append, expectedVersion: -4 }],
    ['appendEvents', { ...append, expectedVersion: undefined }],
    [
      'appendEvents',
      {
        ...append,
        condition: {
          failIfEventsMatch: { items: [{ types: ['t'], tags: ['a'] }, { tags: ['b'] }] },
          after: 0,
        },
      },
    ],
    [
      'appendEvents',
      {
        ...append,
        storeId: '__proto__',
        streamId: 'constructor',
        events: [{ type: 'toString', data: null }],
      },
    ],
    [
      'appendEvents',
      {
        ...append,
        events: [
          { type: 't', data: null, id: '018F3C1E-3B7A-7000-8000-0123456789AB', metadata: {}, tags: [] },
        ],
      },
    ],
    ['getEvents', { storeId: 's', streamId: 'a', startVersion: -1, direction: 'backward', count: 1_000 }],
    ['streamBackward', { storeId: 's', streamId: 'a' }],
    ['subscribe', { channel: 'events', topic: 'a.*.>', from: { time: '2026-01-31T10:00:00.5+01:00' } }],
    ['saveSubscription', { storeId: 's', name: 'n', type: 'stream', selector: '$all', startFrom: 'latest' }],
    ['saveSubscription', { storeId: 's', name: 'n', type: 'tags', selector: { any: ['a'] } }],
    ['saveSubscription', { storeId: 's', name: 'n', type: 'event_type', selector: ['a', 'b'] }],
    ['revokeToken', { cid: 'b', by: 'did:key:z', at: 5, proof: 'p' }],
    ['health', {}],
  ];
  test.each(good)('%s takes %j', (method, params) => {
    expect(validateParams(method, params)).toBe(params);
  });

  const bad: readonly [string, unknown, string, string][] = [
    ['appendEvents', { ...append, storeId: 'a b' }, 'store_id', 'storeId'],
    ['appendEvents', { ...append, storeId: undefined }, 'schema', 'storeId'],
    ['appendEvents', { ...append, streamId: '..' }, 'stream_id', 'streamId'],
    ['appendEvents', { ...append, streamId: '$all' }, 'stream_id', 'streamId'],
    ['getEvents', { storeId: 's', streamId: '$all' }, 'stream_id', 'streamId'],
    ['deleteStream', { storeId: 's', streamId: '$all' }, 'stream_id', 'streamId'],
    ['appendEvents', { ...append, streamId: 'a\u0000' }, 'stream_id', 'streamId'],
    ['appendEvents', { ...append, streamId: '\ud800' }, 'stream_id', 'streamId'],
    ['appendEvents', { ...append, streamId: 'x'.repeat(256) }, 'stream_id', 'streamId'],
    ['appendEvents', { ...append, expectedVersion: -3 }, 'expected_version', 'expectedVersion'],
    ['appendEvents', { ...append, expectedVersion: -5 }, 'expected_version', 'expectedVersion'],
    ['appendEvents', { ...append, expectedVersion: 1.5 }, 'expected_version', 'expectedVersion'],
    ['appendEvents', { ...append, expectedVersion: Number.NaN }, 'expected_version', 'expectedVersion'],
    ['appendEvents', { ...append, expectedVersion: 2 ** 53 }, 'expected_version', 'expectedVersion'],
    ['appendEvents', { ...append, expectedVersion: '1' }, 'expected_version', 'expectedVersion'],
    ['appendEvents', { ...append, expectedVersion: null }, 'expected_version', 'expectedVersion'],
    ['appendEvents', { ...append, events: [] }, 'events', 'events'],
    ['appendEvents', { ...append, events: Array(1_001).fill(append.events[0]) }, 'events', 'events'],
    ['appendEvents', { ...append, events: [{ type: 't' }] }, 'schema', 'events[0].data'],
    ['appendEvents', { ...append, events: [{ type: '', data: 1 }] }, 'event_type', 'events[0].type'],
    ['appendEvents', { ...append, events: [{ type: 't', data: 1, id: 'x' }] }, 'event_id', 'events[0].id'],
    ['appendEvents', { ...append, events: [{ type: 't', data: 1, tags: [''] }] }, 'tag', 'events[0].tags[0]'],
    [
      'appendEvents',
      { ...append, events: [{ type: 't', data: 1, metadata: [] }] },
      'schema',
      'events[0].metadata',
    ],
    [
      'appendEvents',
      { ...append, events: [{ type: 't', data: 1, version: 1 }] },
      'schema',
      'events[0].version',
    ],
    ['appendEvents', { ...append, expected_version: 1 }, 'schema', 'expected_version'],
    [
      'appendEvents',
      JSON.parse('{"storeId":"s","streamId":"a","events":[{"type":"t","data":1}],"__proto__":1}'),
      'schema',
      '__proto__',
    ],
    [
      'appendEvents',
      { ...append, condition: { failIfEventsMatch: { items: [] } } },
      'query',
      'condition.failIfEventsMatch.items',
    ],
    ['appendEvents', [append], 'schema', ''],
    ['appendEvents', undefined, 'schema', ''],
    [
      'appendToStreams',
      {
        storeId: 's',
        appends: [
          { streamId: 'a', events: append.events },
          { streamId: 'a', events: append.events },
        ],
      },
      'appends',
      'appends[1].streamId',
    ],
    ['getEvents', { storeId: 's', streamId: 'a', count: 0 }, 'count', 'count'],
    ['getEvents', { storeId: 's', streamId: 'a', count: 1_001 }, 'count', 'count'],
    ['getEvents', { storeId: 's', streamId: 'a', startVersion: -1 }, 'start_version', 'startVersion'],
    ['streamForward', { storeId: 's', streamId: 'a', startVersion: -1 }, 'start_version', 'startVersion'],
    ['readAll', { storeId: 's', limit: 1_001 }, 'limit', 'limit'],
    ['readAll', { storeId: 's', after: -1 }, 'position', 'after'],
    ['subscribe', { channel: 'events', topic: 'a.>.b' }, 'topic', 'topic'],
    ['subscribe', { channel: 'events', topic: 'a', from: 'newest' }, 'from', 'from'],
    ['subscribe', { channel: 'events', topic: 'a', from: { time: '2026-02-30T00:00:00Z' } }, 'from', 'from'],
    ['publish', { channel: 'events', topic: 'a.*', message: 1 }, 'topic', 'topic'],
    ['publish', { channel: 'events', topic: 'a' }, 'schema', 'message'],
    [
      'saveSubscription',
      { storeId: 's', name: 'n', type: 'tags', selector: { any: [], all: [] } },
      'selector',
      'selector',
    ],
    [
      'saveSubscription',
      { storeId: 's', name: 'n', type: 'event_pattern', selector: { id: 1 } },
      'selector',
      'selector',
    ],
    ['revokeToken', { cid: 'b', iss: 'c', by: 'd', at: 5, proof: 'p' }, 'schema', ''],
    ['followEvents', { storeId: 's', streamId: 'a', query: { items: [{}] } }, 'schema', 'query'],
  ];
  test.each(bad)('%s refuses %j for the reason %s at `%s`', (method, params, reason, path) => {
    expect(refusal(method, params)).toMatchObject({ code: 'invalid_argument', reason, path });
  });

  test('an unknown method is not supported, one that is named like a member of objects too', () => {
    for (const method of ['nothing', 'toString', '__proto__']) {
      expect(refusal(method, {})).toMatchObject({ code: 'not_supported' });
    }
  });

  test('a message names what was wrong and what was expected, and never repeats a payload', () => {
    expect(() => validateParams('getEvents', { storeId: 's', streamId: 'a', count: 5_000 })).toThrow(
      '`count` must be an integer from 1 to 1000, got 5000',
    );
    const streamId = 'secret'.repeat(100);
    expect(() => validateParams('getEvents', { storeId: 's', streamId })).toThrow(
      'a string of 600 UTF-16 units',
    );
  });

  test('an unknown channel is left to those who know the channels', () => {
    const params = { channel: 'nowhere', topic: 'a', message: 1 };
    expect(validateParams('publish', params)).toBe(params);
  });
});

describe('explain', () => {
  const scalar = fc.constantFrom<unknown>(
    undefined,
    null,
    true,
    '',
    'a',
    'x y',
    '\ud800',
    '..',
    0,
    -1,
    -3,
    1.5,
    1e300,
    Number.NaN,
  );
  const members = [
    'storeId',
    'streamId',
    'type',
    'data',
    'id',
    'tags',
    'events',
    'expectedVersion',
    'condition',
    'after',
    'failIfEventsMatch',
    'items',
    'count',
    'from',
    '__proto__',
  ];
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      scalar,
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.array(fc.tuple(fc.constantFrom(...members), tie('tree')), { maxLength: 6 }).map(Object.fromEntries),
    ),
  }));
  /** A value that fits, with one part of it replaced: the interesting neighbourhood of good values. */
  const nearly = fc
    .tuple(tree, fc.constantFrom(...members))
    .map(([value, member]) => ({ ...append, [member]: value }));

  test.each(METHOD_NAMES)('gives a reason exactly when %s refuses', (method) => {
    const { params } = METHOD_SCHEMAS[method];
    const check = compileCheck(params);
    fc.assert(
      fc.property(fc.oneof(tree, nearly), (value) => {
        expect(explain(params, value) === undefined).toBe(check(value));
      }),
      { numRuns: 60 },
    );
  });
});

describe('validateResult', () => {
  test('lets members through that a newer program added', () => {
    const result = { version: 1, position: 2, count: 1, duplicate: false, extra: true };
    expect(validateResult('appendEvents', result)).toBe(result);
  });

  test('what the protocol does not allow is internal', () => {
    expect(() => validateResult('appendEvents', { version: 'x' })).toThrow(
      expect.objectContaining({ code: 'internal' }),
    );
  });
});

describe('METHOD_SCHEMAS', () => {
  test('is JSON Schema that a document can hold', () => {
    for (const { params, result } of Object.values(METHOD_SCHEMAS)) {
      expect(JSON.parse(JSON.stringify([params, result]))).toEqual([
        expect.objectContaining({ type: 'object' }),
        expect.objectContaining({ type: 'object' }),
      ]);
    }
  });
});
