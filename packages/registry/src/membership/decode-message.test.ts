import { fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { decodeMessage } from './decode-message.ts';
import { BUCKETS, encodeMessage, MAX_NEWS, MAX_WORKERS, type MembershipMessage } from './messages.ts';
import type { NodeRecord } from './node-record.ts';

const FROM: NodeRecord = {
  nodeId: 'node-a',
  incarnation: 7,
  url: 'ws://a.example:4590/v1/ws',
  version: 1,
  status: 'alive',
  workersVersion: 3,
};
const WORKER = {
  storeId: 'default',
  storeUuid: 'uuid',
  workerId: 'w',
  incarnation: -1,
  registeredAt: 5.5,
  methods: ['getEvents'],
};
const DIGESTS = Array.from({ length: BUCKETS }, (_, index) => index);
const NEWS = [
  { record: { ...FROM, nodeId: 'node-b', status: 'dead' as const } },
  { record: FROM, workers: [WORKER] },
];

const MESSAGES: readonly MembershipMessage[] = [
  { from: FROM, type: 'ping', sequence: 1, timeMs: 1.5, digest: 0xffff_ffff },
  { from: FROM, type: 'ack', sequence: 1, timeMs: -1, digest: 0 },
  { from: FROM, type: 'ask', sequence: 2, target: { nodeId: 'b', url: 'ws://b' } },
  { from: FROM, type: 'answered', sequence: 2, nodeId: 'b' },
  { from: FROM, type: 'news', news: NEWS },
  { from: FROM, type: 'sync', digests: DIGESTS },
  { from: FROM, type: 'sync', digests: DIGESTS, via: 'ws://c' },
  { from: FROM, type: 'state', digests: DIGESTS, buckets: [0, 31], news: NEWS, more: true, via: 'ws://c' },
  { from: FROM, type: 'pull', nodeId: 'b', incarnation: 3 },
];

const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('a message', () => {
  test.each(MESSAGES)('of the type $type is read as it was written', (message) => {
    expect(decodeMessage(throughJson(encodeMessage(message)))).toEqual(message);
  });

  test('may have members that a later version adds', () => {
    const [ping] = MESSAGES;
    expect(decodeMessage({ ...encodeMessage(ping as MembershipMessage), later: 1 })).toEqual(ping);
  });
});

const [PING, , ASK, , , SYNC, , STATE] = MESSAGES.map((message) => encodeMessage(message));
const from = (at: number, value: unknown): object => ({
  ...PING,
  from: [FROM.nodeId, FROM.incarnation, FROM.version, 0, FROM.url, FROM.workersVersion].with(
    at,
    value as never,
  ),
});
const news = (...tuples: readonly unknown[]): object => ({
  v: 1,
  from: Object(PING).from,
  type: 'news',
  news: tuples,
});
const tuple = (workers: unknown): unknown => ['n', 1, 0, 0, 'ws://n', 1, workers];

const MALFORMED: readonly (readonly [what: string, value: unknown])[] = [
  ['null', null],
  ['an array', []],
  ['another format', { ...PING, v: 2 }],
  ['no type', { v: 1, from: Object(PING).from }],
  ['an unknown type', { ...PING, type: 'pong' }],
  ['a type of the prototype', { ...PING, type: 'constructor' }],
  ['a node id of a megabyte', from(0, 'a'.repeat(1_048_576))],
  ['a node id with a line break', from(0, 'a\nb')],
  ['an incarnation that is not an integer', from(1, 1.5)],
  ['an incarnation that cannot be outbid', from(1, Number.MAX_SAFE_INTEGER)],
  ['a negative version', from(2, -1)],
  ['a sender that is dead', from(3, 2)],
  ['an unknown status', from(3, 4)],
  ['a URL that is not of a node', from(4, 'http://a')],
  ['a sender of too many members', { ...PING, from: [...Object(PING).from, 1] }],
  ['a digest that is too large', { ...PING, digest: 2 ** 32 }],
  ['a time that is not a number', { ...PING, timeMs: null }],
  ['no target', { ...ASK, target: null }],
  ['too few digests', { ...SYNC, digests: DIGESTS.slice(1) }],
  ['a bucket that does not exist', { ...STATE, buckets: [BUCKETS] }],
  ['a flag that is not one', { ...STATE, more: 1 }],
  ['too much news', news(...Array.from({ length: MAX_NEWS + 1 }, () => tuple([])))],
  ['workers that are not a list', news(tuple({}))],
  ['too many workers', news(tuple(Array.from({ length: MAX_WORKERS + 1 }, () => WORKER)))],
  [
    'too many bytes of workers',
    news(tuple(Array.from({ length: 2_000 }, () => ({ ...WORKER, workerId: 'w'.repeat(250) })))),
  ],
  ['a worker of a store that cannot exist', news(tuple([{ ...WORKER, storeId: 'a b' }]))],
  [
    'a worker with too many methods',
    news(tuple([{ ...WORKER, methods: Array.from({ length: 65 }, () => 'm') }])),
  ],
];

describe('what is not a message is dropped [T21]', () => {
  test.each(MALFORMED)('%s', (_, value) => expect(decodeMessage(value)).toBeUndefined());

  test('any other JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(decodeMessage(value)).toBeUndefined();
      }),
    );
  });

  test('a message with any member replaced is read or dropped, and never throws', () => {
    fc.assert(
      fc.property(fc.constantFrom(...MESSAGES), fc.nat(), fc.jsonValue(), (message, at, value) => {
        const encoded = { ...encodeMessage(message) } as Record<string, unknown>;
        const keys = Object.keys(encoded);
        encoded[keys[at % keys.length] as string] = value;
        expect(() => decodeMessage(encoded)).not.toThrow();
      }),
    );
  });
});
