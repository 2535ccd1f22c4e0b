import { isUuid } from '@esdb-gater/primitives';
import { describe, expect, test } from 'vitest';
import { prepareEvents, prepareParams } from './prepare.ts';

const event = { type: 't', data: { a: 1 } };

describe('prepareEvents', () => {
  test('fills in the ids that are missing, keeps the others in lower case and leaves its input alone', () => {
    const id = '018F3C1E-3B7A-7000-8000-0123456789AB';
    const given = [event, { ...event, id }];
    const prepared = prepareEvents(given);
    expect(isUuid(prepared[0]?.id)).toBe(true);
    expect(prepared[1]?.id).toBe(id.toLowerCase());
    expect(given).toEqual([event, { ...event, id }]);
  });

  test('an event over the bound is payload_too_large and one at the bound passes', () => {
    const fixed = JSON.stringify({ type: 't', data: '' }).length;
    const sized = (bytes: number) => [{ type: 't', data: 'x'.repeat(bytes - fixed) }];
    for (const frameUnits of [undefined, 1_100]) {
      const options =
        frameUnits === undefined ? { messageBytes: 1_000 } : { messageBytes: 1_000, frameUnits };
      expect(prepareEvents(sized(1_000), options)).toHaveLength(1);
      expect(() => prepareEvents(sized(1_001), options)).toThrow(
        expect.objectContaining({ code: 'payload_too_large', bytes: 1_001, limit: 1_000 }),
      );
    }
  });

  test('the bound is of bytes, not of characters', () => {
    const data = 'ä'.repeat(600);
    expect(() => prepareEvents([{ type: 't', data }], { messageBytes: 1_000 })).toThrow(
      expect.objectContaining({ code: 'payload_too_large' }),
    );
  });

  test('a number that no double carries is refused, in a frame too', () => {
    const [event] = JSON.parse('[{"type":"t","data":{"x":[1e999]}}]');
    expect(() => prepareEvents([event], { frameUnits: 100 })).toThrow(
      expect.objectContaining({ code: 'invalid_argument', reason: 'json', path: 'events[0].data.x[0]' }),
    );
  });

  test('numbers that grow when they are written again are weighed', () => {
    const data = Array(60).fill(1e20) as number[];
    const frameUnits = JSON.stringify(data).replaceAll('100000000000000000000', '1e20').length + 30;
    expect(frameUnits).toBeLessThan(400);
    expect(() => prepareEvents([{ type: 't', data }], { messageBytes: 1_000, frameUnits })).toThrow(
      expect.objectContaining({ code: 'payload_too_large' }),
    );
  });

  test('members that are undefined and dates become what JSON makes of them', () => {
    const data = { at: new Date(0), gone: undefined, kept: null } as never;
    expect(prepareEvents([{ type: 't', data }])[0]?.data).toEqual({
      at: '1970-01-01T00:00:00.000Z',
      kept: null,
    });
  });

  test.each([
    ['NaN', { x: [1, Number.NaN] }, 'events[0].data.x[1]'],
    ['a function', { x: () => 1 }, 'events[0].data.x'],
    ['a bigint', 1n, 'events[0].data'],
    ['an item that is undefined', [undefined], 'events[0].data[0]'],
  ])('%s is refused by its path', (_title, data, path) => {
    expect(() => prepareEvents([{ type: 't', data: data as never }])).toThrow(
      expect.objectContaining({ code: 'invalid_argument', reason: 'json', path }),
    );
  });

  test('a cycle is refused', () => {
    const data: Record<string, unknown> = {};
    data['self'] = data;
    expect(() => prepareEvents([{ type: 't', data: data as never }])).toThrow(
      expect.objectContaining({ code: 'invalid_argument', reason: 'json' }),
    );
  });

  test('data that is undefined is missing', () => {
    expect(() => prepareEvents([{ type: 't', data: undefined as never }])).toThrow('events[0].data');
  });
});

describe('prepareParams', () => {
  test('a publish gets an id, and its message is bounded', () => {
    const publish = { channel: 'events', topic: 'a', message: 'x'.repeat(100) } as const;
    expect(prepareParams('publish', publish, { newId: () => 'new' })).toEqual({ ...publish, id: 'new' });
    expect(prepareParams('publish', { ...publish, id: 'own' })).toMatchObject({ id: 'own' });
    expect(() => prepareParams('publish', publish, { messageBytes: 50 })).toThrow(
      expect.objectContaining({ code: 'payload_too_large' }),
    );
  });

  test('every append of appendToStreams is prepared', () => {
    const params = { storeId: 's', appends: [{ streamId: 'a', events: [event] }] };
    expect(prepareParams('appendToStreams', params, { newId: () => 'new' })).toEqual({
      storeId: 's',
      appends: [{ streamId: 'a', events: [{ ...event, id: 'new' }] }],
    });
  });

  test('a snapshot is bounded', () => {
    const params = { storeId: 's', sourceUuid: 'a', streamUuid: 'b', version: 1, record: 'x'.repeat(100) };
    expect(() => prepareParams('recordSnapshot', params, { messageBytes: 50 })).toThrow(
      expect.objectContaining({ code: 'payload_too_large' }),
    );
  });
});
