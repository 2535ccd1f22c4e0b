import { isUuid } from '@esdb-gater/primitives';
import { LIMITS, type RecordedEvent } from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import { createEventIds } from './event-ids.ts';
import { importLine } from './import-line.ts';

const line = (value: unknown, number = 3) => ({
  number,
  text: typeof value === 'string' ? value : JSON.stringify(value),
});
const UUID_V5 = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const importOf = (name: string, stream?: string) => {
  const options = {
    storeId: 'default',
    stream,
    ids: createEventIds(name),
    messageBytes: LIMITS.messageBytes,
  };
  return (value: unknown, number?: number) => importLine(line(value, number), options);
};

/** The ids that the lines of a file get. */
const idsOf = (name: string, ...lines: (object | string)[]) => {
  const read = importOf(name);
  return lines.map((value, index) => read(value, index + 1).event.id);
};

describe('a line of an import', () => {
  test('becomes an event with all that it has', () => {
    const id = '018f5e2c-0000-7000-8000-000000000001';
    const value = { streamId: 'a', type: 't', data: { n: 1 }, id, metadata: { m: 1 }, tags: ['x'] };
    const { streamId, ...event } = value;
    expect(importOf('f')(value)).toEqual({ place: { number: 3 }, streamId, event, hasOwnId: true });
  });

  test('may carry bytes, which are part of its id', () => {
    const value = { streamId: 'a', type: 't', dataBase64: 'AQ==', contentType: 'a/b' };
    expect(importOf('f')(value).event).toMatchObject({ dataBase64: 'AQ==', contentType: 'a/b' });
    const [first, other, same] = [value, { ...value, dataBase64: 'Ag==' }, value].map(
      (one) => importOf('f')(one).event.id,
    );
    expect(same).toBe(first);
    expect(other).not.toBe(first);
  });

  test('without an id gets the same one each time, so that the same file again writes nothing twice', () => {
    const value = { streamId: 'a', type: 't', data: 1 };
    const [first, second, other] = idsOf('f', value, value, { ...value, data: 2 });
    expect(first).toMatch(UUID_V5);
    expect(new Set([first, second, other]).size).toBe(3);
    expect(idsOf('f', value, value, { ...value, data: 2 })).toEqual([first, second, other]);
  });

  test('keeps its id when lines are mended, members reordered and blank lines added [R15]', () => {
    const before = idsOf('f', '{"streamId":"a","type":"t","data":{"x":1.0,"y":[]}}', {
      streamId: 'a',
      type: 't',
      data: 2,
    });
    const read = importOf('f');
    const mended = read({ streamId: 'a', type: 'mended', data: null }, 1).event.id;
    const reordered =
      '{ "data": { "y": [], "x": 1 }, "tags": [], "type": "t", "streamId": "a", "metadata": {} }';
    expect([read(reordered, 20).event.id, read({ data: 2, type: 't', streamId: 'a' }, 7).event.id]).toEqual(
      before,
    );
    expect(before).not.toContain(mended);
  });

  test('has another id in an import of another name, in another stream, and where an equal line was before [R15]', () => {
    const value = { streamId: 'a', type: 't', data: 1 };
    const ids = [
      ...idsOf('f', value, value, value),
      ...idsOf('g', value),
      ...idsOf('f', { ...value, streamId: 'b' }),
      importOf('f', 'c')(value).event.id,
    ];
    expect(new Set(ids).size).toBe(6);
  });

  test('goes into the stream that --stream names', () => {
    expect(importOf('f', 'all')({ type: 't', data: null }).streamId).toBe('all');
  });

  test('may be a CloudEvent, whose subject is its stream', () => {
    const { streamId, event, hasOwnId } = importOf('f')({
      specversion: '1.0',
      id: 'x',
      source: '/s',
      type: 't',
      subject: 'orders-1',
      data: [1],
    });
    expect(streamId).toBe('orders-1');
    expect(event).toMatchObject({
      type: 't',
      data: [1],
      metadata: { cloudevent: { source: '/s', subject: 'orders-1' } },
    });
    expect(event.id).toMatch(UUID_V5);
    expect(hasOwnId).toBe(true);
  });

  test('may be a recorded event, as `read` prints it [R15]', () => {
    const recorded: RecordedEvent = {
      id: '018f5e2c-0000-7000-8000-000000000001',
      type: 't',
      storeId: 'elsewhere',
      streamId: 'a',
      version: 7,
      position: 9,
      data: { n: 1 },
      metadata: { m: 1 },
      tags: ['x'],
      timestamp: '2026-01-31T12:00:00.000Z',
      epochUs: 1_769_860_800_000_000,
    };
    const { id, type, data, metadata, tags } = recorded;
    expect(importOf('f')(recorded)).toMatchObject({
      streamId: 'a',
      event: { id, type, data, metadata, tags },
    });
  });

  test.each([
    ['invalid JSON', '{'],
    ['an array', '[]'],
    ['no stream', { type: 't', data: 1 }],
    ['an invalid stream id', { streamId: '..', type: 't', data: 1 }],
    ['no type', { streamId: 'a', data: 1 }],
    ['no data', { streamId: 'a', type: 't' }],
    ['an unknown member', { streamId: 'a', type: 't', data: 1, dta: 2 }],
    ['an id that is not a UUID', { streamId: 'a', type: 't', data: 1, id: '7' }],
    ['metadata that is not an object', { streamId: 'a', type: 't', data: 1, metadata: [] }],
    ['tags that are not strings', { streamId: 'a', type: 't', data: 1, tags: [1] }],
    [
      'a CloudEvent of another version',
      { specversion: '0.3', id: 'x', source: 's', type: 't', subject: 'a' },
    ],
    [
      'bytes without padding',
      { specversion: '1.0', id: 'x', source: 's', type: 't', subject: 'a', data_base64: 'AA' },
    ],
    ['bytes without a content type', { streamId: 'a', type: 't', dataBase64: 'AA==' }],
    ['bytes and data', { streamId: 'a', type: 't', dataBase64: 'AA==', contentType: 'a/b', data: 1 }],
  ])('with %s is refused by its number', (_, value) => {
    expect(() => importOf('f')(value)).toThrow(/^line 3 /);
  });

  test.each([
    ['12345678901234567890', 'data'],
    ['{"a":[1,{"b":9007199254740993}]}', 'data.a[1].b'],
    ['{"a":-1e400}', 'data.a'],
    [`[${'9'.repeat(400)}]`, 'data[0]'],
  ])('with the number %.40s is refused with its path [R15]', (data, path) => {
    expect(() => importOf('f')(`{"streamId":"a","type":"t","data":${data}}`)).toThrow(
      expect.objectContaining({
        line: 3,
        refusal: expect.objectContaining({
          code: 'invalid_argument',
          details: { reason: 'number', path, line: 3 },
        }),
      }),
    );
  });

  test.each([
    '9007199254740992',
    '12345678901234567168',
    '1e300',
    '0.1',
    '1.0000000000000000001',
    '"12345678901234567890"',
  ])('with %s is accepted', (data) => {
    expect(importOf('f')(`{"streamId":"a","type":"t","data":${data}}`).event.data).toBe(JSON.parse(data));
  });

  test('that nests deeper than an event may is refused, and one that nests as deep is not [R15]', () => {
    const nested = (levels: number) =>
      `{"streamId":"a","type":"t","data":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    expect(isUuid(importOf('f')(nested(99)).event.id)).toBe(true);
    for (const levels of [100, 120, 1_000, 1_000_000]) {
      expect(() => importOf('f')(nested(levels))).toThrow(/^line 3 .*(deep|levels)/);
    }
  });

  test('is weighed as the gateway weighs it, with its id and as encoded anew [R15]', () => {
    const id = '018f5e2c-0000-7000-8000-000000000001';
    const fixed = JSON.stringify({ id, type: 't', data: '' }).length;
    const event = (data: string) => ({ streamId: 'a', type: 't', data });
    const fits = LIMITS.messageBytes - fixed;
    expect(importOf('f')(event('x'.repeat(fits))).event.data).toHaveLength(fits);
    for (const data of ['x'.repeat(fits + 1), 'ä'.repeat(fits / 2 + 1), '\u0001'.repeat(fits / 6 + 1)]) {
      expect(() => importOf('f')(event(data))).toThrow(
        expect.objectContaining({ line: 3, refusal: expect.objectContaining({ code: 'payload_too_large' }) }),
      );
    }
    // The escapes of the line are not of the event.
    const escaped = `{"streamId":"a","type":"t","data":"${'\\u0061'.repeat(200_000)}"}`;
    expect(importOf('f')(escaped).event.data).toBe('a'.repeat(200_000));
  });

  test.each([
    ['CSV', 'orders-1,order_placed,7', /looks like CSV/],
    ['the header of CSV', 'stream;type;data', /looks like CSV/],
    ['a pretty-printed object', '{', /on one line of its own/],
    ['another value', '"text"', /must be a JSON object, got "text"/],
    ['another member', '{"streamId":"a","type":"t","data":1,"dta":2}', /only the members .*, got "dta"/],
  ])('of %s says what to do [R32]', (_, text, words) => {
    expect(() => importOf('f')(text)).toThrow(words);
  });
});
