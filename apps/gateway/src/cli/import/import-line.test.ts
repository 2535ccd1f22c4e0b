import { describe, expect, test } from 'vitest';
import { importLine } from './import-line.ts';

const line = (value: unknown, number = 3) => ({
  number,
  text: typeof value === 'string' ? value : JSON.stringify(value),
  bytesRead: 0,
});
const UUID_V5 = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('a line of an import', () => {
  test('becomes an event with all that it has', () => {
    const id = '018f5e2c-0000-7000-8000-000000000001';
    const value = { streamId: 'a', type: 't', data: { n: 1 }, id, metadata: { m: 1 }, tags: ['x'] };
    const { streamId, ...event } = value;
    expect(importLine(line(value), undefined)).toEqual({ line: 3, streamId, event });
  });

  test('without an id gets the same one each time, so that the same file again writes nothing twice', () => {
    const value = { streamId: 'a', type: 't', data: 1 };
    const { id } = importLine(line(value), undefined).event;
    expect(id).toMatch(UUID_V5);
    expect(importLine(line(value), undefined).event.id).toBe(id);
    expect(importLine(line(value, 4), undefined).event.id).not.toBe(id);
    expect(importLine(line({ ...value, data: 2 }), undefined).event.id).not.toBe(id);
  });

  test('goes into the stream that --stream names', () => {
    expect(importLine(line({ type: 't', data: null }), 'all').streamId).toBe('all');
  });

  test('may be a CloudEvent, whose subject is its stream', () => {
    const { streamId, event } = importLine(
      line({ specversion: '1.0', id: 'x', source: '/s', type: 't', subject: 'orders-1', data: [1] }),
      undefined,
    );
    expect(streamId).toBe('orders-1');
    expect(event).toMatchObject({
      type: 't',
      data: [1],
      metadata: { cloudevent: { source: '/s', subject: 'orders-1' } },
    });
    expect(event.id).toMatch(UUID_V5);
  });

  test.each([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['no stream', { type: 't', data: 1 }],
    ['a stream that is none', { streamId: '..', type: 't', data: 1 }],
    ['no type', { streamId: 'a', data: 1 }],
    ['no data', { streamId: 'a', type: 't' }],
    ['an unknown member', { streamId: 'a', type: 't', data: 1, dta: 2 }],
    ['an id that is no UUID', { streamId: 'a', type: 't', data: 1, id: '7' }],
    ['metadata that is no object', { streamId: 'a', type: 't', data: 1, metadata: [] }],
    ['tags that are no texts', { streamId: 'a', type: 't', data: 1, tags: [1] }],
    [
      'a CloudEvent of another version',
      { specversion: '0.3', id: 'x', source: 's', type: 't', subject: 'a' },
    ],
    [
      'binary data',
      { specversion: '1.0', id: 'x', source: 's', type: 't', subject: 'a', data_base64: 'AA==' },
    ],
  ])('with %s is refused by its number', (_, value) => {
    expect(() => importLine(line(value), undefined)).toThrow(/^line 3 /);
  });
});
