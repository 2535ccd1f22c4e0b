import { fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { positionCodec } from './position.ts';

const codec = positionCodec('esdb_channel_events');
const offset = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

describe('positions', () => {
  test('an encoded position is parsed to the same position, on any node', () => {
    const vectors = fc.array(fc.option(offset, { nil: undefined }), { maxLength: 12 });
    fc.assert(
      fc.property(vectors, offset, (offsets, sinceMs) => {
        const complete = offsets.length > 0 && !offsets.includes(undefined);
        const position = complete ? { offsets } : { offsets, sinceMs };
        expect(positionCodec('esdb_channel_events').parse(codec.encode(position))).toEqual(position);
      }),
    );
  });

  test('a position needs no escaping in a URL', () => {
    const text = codec.encode({ offsets: [0, undefined, 12_345_678, 5], sinceMs: 1_700_000_000_000 });
    expect(encodeURIComponent(text)).toBe(text);
  });

  test('the encoder of one partition writes what encode writes', () => {
    const position = { offsets: [3, 4, 5, 6] };
    expect(codec.encoder(position, 2)(99)).toBe(codec.encode({ offsets: [3, 4, 99, 6] }));
    expect(codec.encoder({ offsets: [1] }, 0)(2)).toBe(codec.encode({ offsets: [2] }));
  });

  test('a position of another channel is malformed', () => {
    const other = positionCodec('esdb_channel_metrics').encode({ offsets: [1, 2] });
    expect(() => codec.parse(other)).toThrow(expect.objectContaining({ reason: 'position_malformed' }));
  });

  test.each([
    '',
    '1',
    'latest',
    `${codec.encode({ offsets: [1] })}.`,
    `${codec.encode({ offsets: [1] })}-`,
    `${codec.encode({ offsets: [1] })}-01`,
    `${codec.encode({ offsets: [1] })}-A`,
    `${codec.encode({ offsets: [1] })}-_`,
    `${codec.encode({ offsets: [1] })}.5`,
    codec.encode({ offsets: [1] }).replace(/^1/, '2'),
    `${codec.encode({ offsets: [1] })}-zzzzzzzzzzzz`,
  ])('%j is malformed', (text) => {
    expect(() => codec.parse(text)).toThrow(expect.objectContaining({ reason: 'position_malformed' }));
  });

  test('no text makes parsing fail with anything but position_malformed', () => {
    const prefix = codec.encode({ offsets: [], sinceMs: 0 }).slice(0, -2);
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), fc.boolean(), (rest, ours) => {
        const text = ours ? prefix + rest : rest;
        try {
          // The only encoding: an accepted position is encoded to the same text.
          expect(codec.encode(codec.parse(text))).toBe(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_argument', reason: 'position_malformed' });
        }
      }),
    );
  });
});
